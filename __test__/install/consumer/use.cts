/** The same through CommonJS types. */
import millrace = require('millrace')

async function main(): Promise<void> {
  const model = await millrace.TextEmbedding.create()
  const rows: Float32Array[] = await model.embed(['one']).toArray()
  if (rows.length !== 1) throw new Error('one row')
  await model.close()
}
main().catch((error: unknown) => {
  console.error(error)
  process.exitCode = 1
})
