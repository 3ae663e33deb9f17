/**
 * A store and its journal are two records of one truth, so they are compared each time a store is opened. A store carries a token that is made with
 * it; the checkpoint that a commit answers, which the journal keeps, carries the token and the number of records. A store that was dropped and made
 * again has another token, one that lost rows or was brought back from a backup has another count. Where the token lies is each store's own matter.
 */

import { randomUUID } from 'node:crypto'
import { isRecord } from '../../../base/is.js'
import type { JsonValue } from '../../document.js'
import { hasChanged, holdsUnknown, isGone } from '../../refusal.js'
import type { JournalSummary, SinkContext } from '../../sink.js'

/** The token where a store has no place for one, or cannot be asked for it; then only counts are compared. */
export const NO_TOKEN = ''

/** What a store is known by: in the store, and as a checkpoint in the journal. */
export interface StoreState {
  /** Made with the store, and never changed; or {@link NO_TOKEN}. */
  token: string
  /** Records after the last commit. */
  records: number
  /** Commits so far. Only stores that write it in one transaction with their records have it. */
  revision?: number
}

/** What was found where a sink is to write. */
export interface FoundStore {
  /** For people: `The table docs in ./db`. */
  place: string
  /** Whether anything is there by this name. */
  exists: boolean
  /** What the store says of itself; absent where it says nothing. */
  state: StoreState | undefined
  /** Records that are really there. */
  records: number
  /** Whether others write there too, so that what is there need not be ours. @default false */
  isShared?: boolean
}

/** A store that has just been made. */
export function newState(): StoreState {
  return { token: randomUUID(), records: 0 }
}

/** The state as a checkpoint. */
export function checkpointOf({ token, records, revision }: StoreState): JsonValue {
  return { token, records, ...(revision !== undefined && { revision }) }
}

/** The state that a checkpoint holds; checkpoints of other sinks and of older versions have none. */
function stateOf(checkpoint: JsonValue | undefined): StoreState | undefined {
  if (!isRecord(checkpoint)) return undefined
  const { token, records, revision } = checkpoint
  if (typeof token !== 'string' || typeof records !== 'number') return undefined
  return { token, records, ...(typeof revision === 'number' && { revision }) }
}

/**
 * Compares what was found with what the journal says, and changes nothing.
 *
 * @throws StoreRefusal where the run must not go on: SINK_FAILED.
 */
export function checkStore(
  found: FoundStore,
  { checkpoint, journal }: Pick<SinkContext, 'checkpoint' | 'journal'>,
  overwrite: boolean,
): void {
  const { place, exists, records, state, isShared = false } = found
  if (checkpoint === undefined) {
    if (records > 0 && !overwrite && !isShared) throw holdsUnknown(place)
    return
  }
  if (!exists) throw isGone(place)
  const expected = stateOf(checkpoint)
  // A journal of an earlier version knows neither token nor count; then only what is obviously lost is noticed.
  if (expected === undefined) {
    checkLeast(place, records, journal)
    return
  }
  const isSame = [state?.token, expected.token].includes(NO_TOKEN) || state?.token === expected.token
  if (!isSame) throw hasChanged(place, 'it was made anew, or is another store by the same name')
  if (state?.revision === undefined) checkCount(found, expected, journal)
  else checkRevision({ ...found, state }, expected, journal)
}

/** Of stores without transactions: after a run that died, records of the documents it had begun may be there or not. */
function checkCount(
  { place, records, isShared = false }: FoundStore,
  expected: StoreState,
  journal: JournalSummary | undefined,
): void {
  if (isShared || journal === undefined || journal.begun > 0) checkLeast(place, records, journal)
  else if (records !== expected.records) throw hasChanged(place, counts(expected.records, records))
}

/** Of stores with transactions: the store's own count belongs to its last commit, whatever the journal has heard of it. */
function checkRevision(
  { place, records, state }: FoundStore & { state: StoreState },
  expected: StoreState,
  journal: JournalSummary | undefined,
): void {
  const [here, there] = [state.revision ?? 0, expected.revision ?? 0]
  if (records !== state.records) throw hasChanged(place, counts(state.records, records))
  if (here < there) throw hasChanged(place, 'it is older than the journal, as if from a backup')
  // A process that dies after a commit and before it notes it has left documents begun.
  if (here > there && journal?.begun === 0) throw hasChanged(place, 'it is newer than the journal')
}

/** Every document that was written has a record at least. */
function checkLeast(place: string, records: number, journal: JournalSummary | undefined): void {
  if (journal === undefined || records >= journal.written) return
  throw hasChanged(place, `it holds ${records} records of the ${journal.written} documents that were written`)
}

function counts(expected: number, found: number): string {
  return `it holds ${found} records, and the last run left ${expected}`
}
