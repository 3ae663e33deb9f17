/** Late interaction: a vector for each token of a text. What multimodal models share of it is here too. */

import {
  LateInteractionTextEmbedding,
  type LateInteractionTextEmbeddingOptions,
  type ModelInfo,
  type MultiVectorBatch,
} from '../../../index.js'
import { commonOptions, pick } from '../model-options.js'
import { JsonlWriter, type RowFields, textFacts } from '../output/jsonl-writer.js'
import { MULTI_VECTOR_LAYOUT, NpzWriter } from '../output/npz-writer.js'
import type { RowWriter } from '../running/batch.js'
import { cutOrFail, type Family, MULTI_VECTOR_ROWS, type Output } from './family.js'

export const lateInteraction: Family<MultiVectorBatch> = {
  vectors: 'late-interaction',
  outputs: ['npz', 'jsonl'],
  batchRows: MULTI_VECTOR_ROWS,
  items: () => 'texts',
  async load(flags, role, loading) {
    type Kind = NonNullable<LateInteractionTextEmbeddingOptions['kind']>
    const model = await LateInteractionTextEmbedding.create({
      ...commonOptions(flags),
      ...pick(flags, ['maxLength', 'maxBatchTokens']),
      // What kinds there are is checked by the API.
      ...(flags.kind !== undefined && { kind: flags.kind as Kind }),
      ...loading,
    })
    const embed = role === 'query' ? model.queryEmbed : model.embed
    const overflow = cutOrFail(flags)
    return { model, embed: (source, call) => embed.call(model, source, { overflow, ...call }) }
  },
  writer: (output, _flags, info) =>
    multiVectorWriter(output, info, (batch, i) => ({
      ...textFacts(batch, i),
      ...multiVectorFields(batch, i),
    })),
}

/** Writes multi-vectors; `fields` are those of JSON lines. */
export async function multiVectorWriter(
  { to, format, scratch }: Output,
  { dim }: ModelInfo,
  fields: RowFields<MultiVectorBatch>,
): Promise<RowWriter<MultiVectorBatch>> {
  if (format === 'npz') return NpzWriter.open(to, MULTI_VECTOR_LAYOUT, scratch, dim ?? 0)
  return new JsonlWriter(to, fields)
}

/** The vectors as lists of numbers. */
export function multiVectorFields(batch: MultiVectorBatch, i: number): object {
  return { embedding: batch.row(i).map((vector) => Array.from(vector)) }
}
