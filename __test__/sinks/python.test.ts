/** NumPy, SciPy and pyarrow read what the sinks of files write, bit by bit. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { numpySink, parquetSink, type Sink } from '../../index.js'
import { hasPython, pythonWith } from '../support/python.js'
import { bits } from '../support/vectors.js'
import { batchOf, records, SCHEMA } from './conformance.js'

let interpreter = ''
beforeAll(() => {
  if (hasPython) interpreter = pythonWith('python-sinks', ['numpy', 'scipy', 'pyarrow'])
}, 300_000)

const cwd = mkdtempSync(join(tmpdir(), 'millrace-python-sinks-'))
const BATCHES = [batchOf(records('a', ['one', 'two 漢字', ''])), batchOf(records('b', ['it’s "quoted"'], 4))]
const RECORDS = BATCHES.flatMap((batch) => batch.records)

function python(program: string): unknown {
  const { stdout, stderr, status } = spawnSync(interpreter, ['-c', program], { cwd, encoding: 'utf8' })
  expect([status, stderr]).toEqual([0, ''])
  return JSON.parse(stdout)
}

async function fill(sink: Sink): Promise<void> {
  await sink.open({ schema: SCHEMA })
  for (const batch of BATCHES) {
    await sink.write(batch)
    await sink.commit()
  }
  await sink.close()
}

const dense = Float32Array.from(BATCHES.flatMap((batch) => [...(batch.dense?.data ?? [])]))
const indices = BATCHES.flatMap((batch) => [...(batch.sparse?.indices ?? [])])
const values = BATCHES.flatMap((batch) => [...(batch.sparse?.values ?? [])])

describe.skipIf(!hasPython)('read by Python', () => {
  it('a matrix, a CSR matrix and their records', async () => {
    await fill(numpySink(join(cwd, 'docs.npy')))
    const read = python(`
import base64, json, numpy, scipy.sparse
dense = numpy.load('docs.npy')
load = lambda name: numpy.load(f'docs.{name}.npy')
sparse = scipy.sparse.csr_matrix((load('data'), load('indices'), load('indptr')), shape=(len(dense), 2 ** 32))
records = [json.loads(line) for line in open('docs.records.jsonl', encoding='utf8')]
print(json.dumps([
  dense.shape, base64.b64encode(dense.astype('<f4').tobytes()).decode(), str(dense.dtype),
  sparse.indices.tolist(), sparse.data.tolist(), sparse.indptr.tolist(),
  [[r['id'], r['text'], r['metadata']] for r in records]]))`)
    expect(read).toEqual([
      [4, dense.length / 4],
      bits(dense),
      'float32',
      indices,
      values,
      [0, 2, 4, 6, 8],
      RECORDS.map(({ id, text, metadata }) => [id, text, metadata]),
    ])
  })

  it('a folder of Parquet files is one table', async () => {
    await fill(parquetSink(join(cwd, 'vectors')))
    const read = python(`
import base64, json, numpy, pyarrow.dataset
table = pyarrow.dataset.dataset('vectors', format='parquet').to_table().sort_by('id')
dense = numpy.array(table['vector'].to_pylist(), dtype='<f4')
print(json.dumps([
  table['id'].to_pylist(), table['text'].to_pylist(), table['tokens'].to_pylist(),
  base64.b64encode(dense.tobytes()).decode()]))`)
    expect(read).toEqual([
      RECORDS.map(({ id }) => id),
      RECORDS.map(({ text }) => text),
      RECORDS.map(({ tokens }) => tokens),
      bits(dense),
    ])
  })
})
