/**
 * Package descriptions into a LanceDB table, then a search. Run it again: nothing has changed, so nothing is embedded. Kill it and run it
 * again: it goes on where it was. Needs `npm install @lancedb/lancedb`.
 *
 *   node examples/index-documents.mjs "draw a floor plan"
 */
import { fileURLToPath } from 'node:url'
import { EmbeddingPipeline, jsonlDeadLetters, jsonlSource, lanceDbSink, openLanceDb } from 'millrace'

const question = process.argv[2] ?? 'draw a floor plan'
const place = { uri: './packages.lance', table: 'packages' }
const packages = fileURLToPath(new URL('packages.jsonl.gz', import.meta.url))

const pipeline = await EmbeddingPipeline.create({
  sink: lanceDbSink(place),
  deadLetters: jsonlDeadLetters('./packages.failed.jsonl'),
  chunk: { maxTokens: 128, overlap: 16 },
  duplicates: 'exact',
})
const source = jsonlSource(packages, { id: 'id', text: ['title', 'text'], metadata: ['title'] })
const report = await pipeline.run(source, {
  onProgress: ({ written, unchanged }) =>
    process.stderr.write(`\r${written} written, ${unchanged} unchanged `),
})
console.error(
  `\n${report.chunks} chunks in ${report.seconds.toFixed(1)} s, ${report.failed} documents failed`,
)

const [query] = await pipeline.queryEmbed(question).toArray()
await pipeline.close()

const store = await openLanceDb(place)
for (const { score, metadata, text } of await store.search(query, { limit: 5 }))
  console.log(score.toFixed(3), `${metadata.title}: ${text.slice(0, 60)}…`)
await store.close()
