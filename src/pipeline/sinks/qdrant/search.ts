/** Searching in a collection that the Qdrant sink made. */

import { MillraceError } from '../../../base/errors.js'
import { parseOptions } from '../../../options/check.js'
import type { SearchableStore } from '../../sink.js'
import { hitOf, parseSearch, searching } from '../shared/search.js'
import { asked, connect, HASTY, isNotFound, withReason } from './client.js'
import { type Ask, dimensionsOf } from './collection.js'
import { checkQdrantPlace, placeOf, type QdrantOptions, qdrantPlaceChecks } from './options.js'

/**
 * Opens a collection that {@link qdrantSink} made, for search.
 *
 * @throws MillraceError PACKAGE_NOT_FOUND. The server is asked by the first search, which throws SINK_FAILED where it or the collection is away.
 */
export async function openQdrant(options: QdrantOptions): Promise<SearchableStore> {
  const checked = parseOptions<QdrantOptions>('openQdrant', options, qdrantPlaceChecks)
  checkQdrantPlace(checked)
  const { collection, denseName = 'dense' } = checked
  const place = placeOf(checked)
  const client = await connect(checked, 'openQdrant')
  const closed = new AbortController()
  let size: Promise<number | undefined> | undefined

  const askAs =
    (signal: AbortSignal | undefined): Ask =>
    async (request) => {
      try {
        return await asked(() => request(client), HASTY, { stopped: signal, left: closed.signal })
      } catch (cause) {
        if (isNotFound(cause)) throw new MillraceError('SINK_FAILED', `${place} is not there`, { cause })
        throw withReason(cause)
      }
    }

  return {
    // A collection has no place for facts of its own.
    model: async () => undefined,
    async search(query, options) {
      // Once before the server is asked, so that a wrong query is told as such wherever the server is.
      const { signal } = parseSearch(place, undefined, query, options)
      return searching(place, signal, async () => {
        size ??= dimensionsOf(askAs(undefined), collection, denseName)
        size.catch(() => {
          size = undefined
        })
        const call = parseSearch(place, await size, query, options)
        const request = {
          query: Array.from(call.query),
          using: denseName,
          limit: call.limit,
          with_payload: true,
        }
        const { points } = await askAs(signal)((asked) => asked.query(collection, request))
        return points.map((point) => {
          const { score, payload } = point as { score: number; payload: Record<string, unknown> }
          return hitOf(payload, score)
        })
      })
    },
    async close() {
      closed.abort(new MillraceError('CLOSED', `${place} was closed`))
    },
  }
}
