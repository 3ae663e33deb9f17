/**
 * The same library from CommonJS: two sentences compared, and a call that is given up after a time.
 *
 *   node examples/commonjs.cjs
 */
const { TextEmbedding } = require('millrace')

function* endless() {
  for (let i = 0; ; i++) yield `Sentence number ${i}.`
}

async function main() {
  const model = await TextEmbedding.create()
  try {
    const [a, b] = await model.embed(['The cat sleeps on the couch.', 'A kitten naps on the sofa.']).toArray()
    const similarity = a.reduce((sum, x, i) => sum + x * b[i], 0)
    console.log('similarity', similarity.toFixed(3))

    // The input never ends, so the signal ends the call. Batches that came before are whole.
    let rows = 0
    try {
      const signal = AbortSignal.timeout(500)
      for await (const batch of model.embed(endless(), { batchSize: 32, signal })) rows += batch.length
    } catch (error) {
      if (error.name !== 'TimeoutError') throw error
      console.log(`${rows} sentences in half a second`)
    }
  } finally {
    await model.close()
  }
}

main()
