/**
 * Texts without end, the same in every run, for tests and the programs they start. English-looking words, so that a word
 * is one or two tokens; nothing about their vectors means anything.
 */

const WORDS = (
  'the of and a to in is for on that by this with you it not or be are from at as your all have new more an was we ' +
  'will home can us about if page my has search free but our one other do no information time they site he up may ' +
  'what which their news out use any there see only so his when contact here business who web also now help get ' +
  'library package parser compiler kernel network socket protocol encrypts buffers terminal archive python daemon'
).split(' ')

/** Numbers in [0, 1) that depend on the seed alone (mulberry32: short, and even enough to draw words with). */
export function randomNumbers(seed) {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A text of so many words. */
export function words(count, random) {
  return Array.from({ length: count }, () => WORDS[Math.floor(random() * WORDS.length)]).join(' ')
}

/** `count` texts of `least` to `most` words, each made when it is asked for. */
export function* texts(count, { least = 4, most = 60, seed = 1 } = {}) {
  const random = randomNumbers(seed)
  for (let i = 0; i < count; i++) yield words(least + Math.floor(random() * (most - least + 1)), random)
}
