/** Types of `texts.mjs`. */

export function randomNumbers(seed: number): () => number
export function words(count: number, random: () => number): string
export function texts(
  count: number,
  options?: { least?: number; most?: number; seed?: number },
): Generator<string, void, undefined>
