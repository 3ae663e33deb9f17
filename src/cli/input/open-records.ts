/** Everything a run of texts, or of pairs of texts, reads from its files. */

import { access } from 'node:fs/promises'
import { STDIN, totalSize } from '../../pipeline/sources/bytes.js'
import { type Input, type RecordOptions, readRecords } from './records.js'

/** Rejects with the system's error when a file cannot be read. */
export async function openRecords<T>(files: readonly string[], options: RecordOptions<T>): Promise<Input<T>> {
  await Promise.all(files.filter((file) => file !== STDIN).map((file) => access(file)))
  return { total: await totalSize(files), records: readRecords(files, options) }
}
