/** The options of `millrace chunk` as values. */

/** What commander makes of the options. */
export interface ChunkFlags {
  by: 'sentence' | 'markdown' | 'tokens'
  maxTokens?: number
  overlap: number
  prefix?: string
  model?: string
  modelPath?: string
  clean?: boolean
  html?: boolean
  markdown?: boolean
  format?: 'text' | 'jsonl'
  encoding?: string
  field: string
  keep: readonly string[]
  output: string
}
