/** Scores as lines for people or as JSON lines, all in their order or the best ones first. */

import type { ScoreBatch } from '../../../index.js'
import { toJsonText } from '../../pipeline/sources/json.js'
import type { Destination } from '../output/destination.js'
import { recordOf } from '../output/jsonl-writer.js'
import type { RowRecord, RowWriter } from '../running/batch.js'
import { type Hit, Top } from '../search/top.js'
import { oneLine } from '../terminal.js'

/** How a row is written, without the end of its line. */
export type RowLine = (batch: ScoreBatch, i: number, record: RowRecord | undefined) => string

/** Columns of score and index and the gaps between, before the text. */
export const LEFT_COLUMNS = 20

/** `{ index, text, score }`, or with `error` instead of `score`. */
export const jsonLine: RowLine = (batch, i, record) =>
  toJsonText(recordOf(batch, i, record, (scored, row) => ({ score: scored.row(row) })))

/** `  8.1234       0  The text`, with at most `width` characters of the text. */
export function plainLine(width: number | undefined): RowLine {
  return (batch, i, record) => {
    const index = batch.indexOf(i)
    const score = batch.errors.has(index) ? '-' : batch.row(i).toFixed(4)
    const text = oneLine(String(record?.kept?.['text'] ?? ''), width)
    return `${score.padStart(10)} ${String(index).padStart(7)}  ${text}`.trimEnd()
  }
}

/** Every row as it comes. */
export class InOrderWriter implements RowWriter<ScoreBatch> {
  readonly #to: Destination
  readonly #line: RowLine

  constructor(to: Destination, line: RowLine) {
    this.#to = to
    this.#line = line
  }

  async write(batch: ScoreBatch, records: readonly RowRecord[]): Promise<void> {
    let lines = ''
    for (let i = 0; i < batch.length; i++) lines += `${this.#line(batch, i, records[i])}\n`
    await this.#to.write(lines)
  }

  async finish(): Promise<void> {}
}

/** The best rows in the end; failed ones are none of them. Keeps no more rows than it writes. */
export class BestWriter implements RowWriter<ScoreBatch> {
  readonly #to: Destination
  readonly #line: RowLine
  readonly #top: Top<Hit & { line: string }>

  constructor(to: Destination, line: RowLine, topN: number) {
    this.#to = to
    this.#line = line
    this.#top = new Top(topN)
  }

  async write(batch: ScoreBatch, records: readonly RowRecord[]): Promise<void> {
    for (let i = 0; i < batch.length; i++) {
      const index = batch.indexOf(i)
      if (batch.errors.has(index)) continue
      const score = batch.row(i)
      if (this.#top.admits(score)) this.#top.offer({ index, score, line: this.#line(batch, i, records[i]) })
    }
  }

  async finish(): Promise<void> {
    await this.#to.write(this.#top.hits.map(({ line }) => `${line}\n`).join(''))
  }
}
