/** The comparison as a table for the terminal. */
import { print } from '../../scripts/lib/print.mjs'

const MODEL_NAMES = { fp32: 'fp32', int8: 'dynamic int8', w8: 'weight-only int8' }

const COLUMNS = [
  ['contestant', -34, (row) => row.label],
  ['model', -16, (row) => MODEL_NAMES[row.model]],
  ['batch', 8, (row) => (row.batch === 0 ? 'default' : row.batch)],
  ['texts/s', 8, (row) => row.textsPerSecond.toFixed(1)],
  ['millrace', 9, (row) => `${row.millraceRatio.toFixed(2)}×`],
  ['peak MB', 8, (row) => (row.peakMemory > 0 ? Math.round(row.peakMemory / 1e6) : '–')],
  ['loop ms', 8, (row) => row.worstDelayMs?.toFixed(0) ?? '–'],
  ['cosine', 8, (row) => row.minCosine.toFixed(5)],
]

const cell = (value, width) => (width < 0 ? String(value).padEnd(-width) : String(value).padStart(width))

export function printTable(result) {
  print(
    `\n${result.texts} texts (${result.kind}), at most ${result.limit} tokens, ${result.cores} cores, ${result.cpu}\n`,
  )
  print(COLUMNS.map(([title, width]) => cell(title, width)).join(' '))
  for (const row of result.rows) print(COLUMNS.map(([, width, value]) => cell(value(row), width)).join(' '))
  for (const { label, model, reason } of result.absent)
    print(`${label} (${MODEL_NAMES[model]}): not measured: ${reason}`)
  print(
    '\nmillrace: how much faster millrace on the fp32 model is. loop: longest time the event loop was blocked.',
  )
  print('cosine: least similarity of a vector to bare ONNX Runtime on the fp32 model, one text at a time.')
}
