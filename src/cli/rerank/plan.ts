/** From the flags of `millrace rerank` to a plan that can only be carried out: everything refused is refused here. */

import {
  type ErrorMode,
  type ScoreBatch,
  TextCrossEncoder,
  type TextCrossEncoderOptions,
  type TextPair,
} from '../../../index.js'
import { checkFiles, unreserved } from '../embed/plan.js'
import { usageError } from '../exit.js'
import { requireFamily } from '../families/names.js'
import { openRecords } from '../input/open-records.js'
import type { Input, InputFormat, ItemShape } from '../input/records.js'
import { queryDocumentPairs, strings } from '../input/shapes.js'
import { commonOptions, type ModelFlags, pick } from '../model-options.js'
import { STDOUT } from '../output/destination.js'
import { RESERVED_FIELDS } from '../output/jsonl-writer.js'
import type { Calling, Loaded, Loading } from '../running/run.js'

/** What commander makes of the options. */
export interface RerankFlags extends ModelFlags {
  query?: string
  pairs?: boolean
  topN?: number
  activation?: 'none' | 'sigmoid'
  format?: InputFormat
  field?: string
  keep?: string[]
  limit?: number
  output?: string
  maxBatchTokens?: number
  overflow: 'truncate' | 'error'
  errors: ErrorMode
  quiet?: boolean
  json?: boolean
}

/** A checked run. */
export interface RerankPlan {
  unit: 'documents' | 'pairs'
  input: Input<TextPair>
  load(options: Loading): Promise<Loaded<ScoreBatch, TextPair>>
  /** Path, or {@link STDOUT}. */
  output: string
  /** Whether rows are written as JSON, else for people. */
  isJson: boolean
}

/** Checks the flags together and that the files can be read. Throws INVALID_OPTION or the system's error. */
export async function planRerank(files: readonly string[], flags: RerankFlags): Promise<RerankPlan> {
  const { query, pairs, field, format, json } = flags
  if (query === undefined && pairs !== true) throw usageError('Expected --query TEXT, or --pairs')
  if (pairs === true && (field !== undefined || format === 'lines')) {
    throw usageError(
      "Expected no --field and no --format lines with --pairs: its fields are 'query' and 'document'",
    )
  }
  requireFamily('rerank', flags.model, 'millrace rerank runs cross encoders; millrace embed makes vectors')
  checkFiles(files)
  const output = flags.output ?? STDOUT
  const isJson = json === true || flags.output !== undefined
  const keep = unreserved(flags.keep ?? [], [...RESERVED_FIELDS, 'text', 'query'])
  if (keep.length > 0 && !isJson) throw usageError('Expected --json or --output FILE with --keep')
  if (flags.output === STDOUT && json === true) {
    throw usageError('Expected --output FILE with --json: standard output cannot carry both')
  }
  const shape = query === undefined ? queryDocumentPairs : documentsOf(query, field ?? 'text')
  const inputFormat = pairs === true ? 'jsonl' : format
  return {
    unit: query === undefined ? 'pairs' : 'documents',
    input: await openRecords(files, {
      shape,
      keep,
      ...(inputFormat !== undefined && { format: inputFormat }),
    }),
    load: (options) => loadCrossEncoder(flags, options),
    output,
    isJson,
  }
}

/** A document a record, which is kept as `text`. */
function documentsOf(query: string, field: string): ItemShape<TextPair> {
  const { fromLine, fromJson } = strings(field, { name: 'text', of: 'all' })
  return {
    fromLine: (line) => ({ ...fromLine(line), item: [query, line] }),
    fromJson(value) {
      const { item, kept } = fromJson(value)
      return { item: [query, item], ...(kept !== undefined && { kept }) }
    },
  }
}

async function loadCrossEncoder(flags: RerankFlags, options: Loading): Promise<Loaded<ScoreBatch, TextPair>> {
  const chosen: TextCrossEncoderOptions = {
    ...commonOptions(flags),
    ...pick(flags, ['maxLength', 'maxBatchTokens']),
  }
  const model = await TextCrossEncoder.create({ ...chosen, ...options })
  const { overflow } = flags
  return {
    model,
    embed: (source: AsyncIterable<TextPair>, call: Calling) =>
      model.rerankPairs(source, { overflow, ...pick(flags, ['activation']), ...call }),
  }
}
