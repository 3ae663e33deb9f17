/** A folder of Markdown into a store, twice, as the guide to indexing does it, with what is installed beside the package. */
const assert = require('node:assert/strict')
const { mkdtempSync, rmSync, writeFileSync } = require('node:fs')
const { tmpdir } = require('node:os')
const { join } = require('node:path')

const DOCUMENTS = {
  'disks.md': '# Disks\n\n## Partitions\n\nResize a partition after its file system.\n',
  'cats.md': '# Cats\n\nA kitten rests on a rug.\n',
}

async function index({ EmbeddingPipeline, folderSource }, sink, folder) {
  const pipeline = await EmbeddingPipeline.create({ sink })
  try {
    const report = await pipeline.run(folderSource(folder))
    const [query] = await pipeline.queryEmbed('how do I resize a partition?').toArray()
    return { report, query }
  } finally {
    await pipeline.close()
  }
}

/** `sink` and `open` make and open one store; `open` may be absent where it cannot be searched. */
async function checkStore(millrace, directory, { name, sink, open }) {
  const folder = mkdtempSync(join(directory, 'docs-'))
  for (const [file, text] of Object.entries(DOCUMENTS)) writeFileSync(join(folder, file), text)
  const first = await index(millrace, sink(directory), folder)
  assert.equal(first.report.written, 2, name)
  const again = await index(millrace, sink(directory), folder)
  assert.deepEqual([again.report.written, again.report.unchanged], [0, 2], name)
  if (open === undefined) return
  const store = await open(directory)
  const [best] = await store.search(first.query, { limit: 1 })
  assert.equal(best.documentId, 'disks.md', name)
  await store.close()
}

const inDirectory = async (work) => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-stores-'))
  try {
    await work(directory)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** Stores that need nothing but millrace; one that needs a package says which. */
exports.checkBare = (millrace) =>
  inDirectory(async (directory) => {
    const { jsonlSink, lanceDbSink } = millrace
    await checkStore(millrace, directory, { name: 'JSON lines', sink: (at) => jsonlSink(join(at, 'docs.jsonl')) })
    const missing = checkStore(millrace, directory, {
      name: 'LanceDB',
      sink: (at) => lanceDbSink({ uri: join(at, 'missing'), table: 'docs' }),
    })
    await assert.rejects(missing, (error) => {
      assert.equal(error.code, 'PACKAGE_NOT_FOUND')
      assert.match(error.message, /npm install .*@lancedb\/lancedb/)
      return true
    })
  })

exports.checkWithPackages = (millrace) =>
  inDirectory(async (directory) => {
    const { lanceDbSink, openLanceDb, openSqlite, parquetSink, sqliteSink } = millrace
    const lance = (at) => ({ uri: join(at, 'lance'), table: 'docs' })
    const stores = [
      { name: 'LanceDB', sink: (at) => lanceDbSink(lance(at)), open: (at) => openLanceDb(lance(at)) },
      {
        name: 'SQLite',
        sink: (at) => sqliteSink({ path: join(at, 'docs.db') }),
        open: (at) => openSqlite({ path: join(at, 'docs.db') }),
      },
      { name: 'Parquet', sink: (at) => parquetSink(join(at, 'parquet')) },
    ]
    for (const store of stores) await checkStore(millrace, directory, store)
  })

/** The adapters of the frameworks that are installed. */
exports.checkFrameworks = async ({ langchain, aiSdk, lancedb }) => {
  const { MillraceEmbeddings } = langchain
  const embeddings = new MillraceEmbeddings()
  assert.equal((await embeddings.embedQuery('cats')).length, 384)
  await embeddings.close()
  const provider = aiSdk.createMillrace()
  const model = provider.embeddingModel('sentence-transformers/all-MiniLM-L6-v2')
  const { embeddings: rows } = await model.doEmbed({ values: ['cats', 'dogs'] })
  assert.equal(rows.length, 2)
  await provider.close()
  assert.equal(typeof lancedb.MillraceFunction, 'function')
}
