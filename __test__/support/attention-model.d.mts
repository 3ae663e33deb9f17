/** How the model is built. */
export interface AttentionModelOptions {
  /** @default 12 */
  heads?: number
  /** @default 4 */
  headSize?: number
  /** Longest text in tokens. @default 8192 */
  limit?: number
  /** More keys of config.json. */
  config?: object
}

/** Writes a model directory with random weights. */
export function writeAttentionModel(dir: string, options?: AttentionModelOptions): void

/** A text of `tokens` tokens; `seed` makes another one. */
export function textOf(tokens: number, seed?: number): string
