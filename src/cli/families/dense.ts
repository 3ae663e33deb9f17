/** Dense text: a vector for each text. What images share of it is here too. */

import { type DenseBatch, type DType, type ModelInfo, TextEmbedding } from '../../../index.js'
import { isArrayOf } from '../../base/foreign.js'
import { rowElements } from '../../formats/dtype.js'
import { halfTable } from '../half.js'
import { commonOptions, denseCallOptions, denseModelOptions, pick } from '../model-options.js'
import { JsonlWriter, type RowFields, textFacts } from '../output/jsonl-writer.js'
import { NpyWriter, RawWriter } from '../output/matrix-writers.js'
import type { RowWriter } from '../running/batch.js'
import { type Family, type FamilyFlags, type Output, VECTOR_ROWS } from './family.js'

export const dense: Family<DenseBatch<DType>> = {
  vectors: 'dense',
  outputs: ['npy', 'jsonl', 'f32'],
  batchRows: VECTOR_ROWS,
  items: () => 'texts',
  async load(flags, role, loading) {
    const model = await TextEmbedding.create({
      ...commonOptions(flags),
      ...denseModelOptions(flags, role),
      ...pick(flags, ['maxBatchTokens']),
      ...loading,
    })
    const embed = { text: model.embed, query: model.queryEmbed, passage: model.passageEmbed }[role]
    const options = {
      ...denseCallOptions(flags),
      ...pick(flags, ['dtype', 'taskId']),
      overflow: flags.overflow ?? 'truncate',
    } as const
    return { model, embed: (source, call) => embed.call(model, source, { ...options, ...call }) }
  },
  writer: (output, flags, info) =>
    denseWriter(output, flags, info, (batch, i) => ({ ...textFacts(batch, i), ...denseFields(batch, i) })),
}

/** Dimensions of the vectors, where the model tells. */
export function denseDim({ dimensions }: FamilyFlags, { dim }: ModelInfo): number {
  return Math.min(dim ?? 0, dimensions ?? Number.POSITIVE_INFINITY)
}

/** Writes vectors; `fields` are those of JSON lines. */
export async function denseWriter(
  { to, format, scales }: Output,
  flags: FamilyFlags,
  info: ModelInfo,
  fields: RowFields<DenseBatch<DType>>,
): Promise<RowWriter<DenseBatch<DType>>> {
  const dtype = flags.dtype ?? 'float32'
  if (format === 'f32') return new RawWriter(to)
  if (format === 'npy') return new NpyWriter(to, dtype, rowElements(dtype, denseDim(flags, info)), scales)
  return new JsonlWriter(to, fields)
}

/** A vector as numbers, and its scale where it has one. */
export function denseFields(batch: DenseBatch<DType>, i: number): object {
  const row = batch.row(i)
  return {
    ...(batch.scales !== undefined && { scale: batch.scales[i] }),
    embedding: isArrayOf('Uint16Array', row) ? Array.from(row, (bits) => halfTable()[bits]) : Array.from(row),
  }
}
