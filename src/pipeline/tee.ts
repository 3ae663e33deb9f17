/**
 * One flow of items read by several readers, each at its own pace; an item waits for those who have not had it. What bounds the
 * waiting is the flow, which gives nothing more while too much is on its way.
 */

import { SLICES, type Slice, type SlicedSource, type SourceReader } from '../stream/source.js'

/** Sources for streams, each with all the items. `stop` is called when the last of them is released. */
export function tee<T>(
  flow: AsyncIterator<readonly T[], void, undefined>,
  readers: number,
  stop: () => void,
): SlicedSource<T>[] {
  const queues: T[][] = Array.from({ length: readers }, () => [])
  let pulling: Promise<boolean> | undefined
  let open = readers

  const pull = (): Promise<boolean> => {
    pulling ??= flow.next().then(({ done, value }) => {
      pulling = undefined
      if (done === true) return false
      for (const queue of queues) for (const item of value) queue.push(item)
      return true
    })
    return pulling
  }

  return queues.map((queue) => {
    let closed = false
    const take = (limit: number): Slice => ({ items: queue.splice(0, limit), done: false })
    const reader: SourceReader = {
      read(limit) {
        if (queue.length > 0) return take(limit)
        const later = async (): Promise<Slice> => {
          while (!closed && queue.length === 0) {
            if (!(await pull()) && queue.length === 0) return { items: [], done: true }
          }
          return take(limit)
        }
        return later()
      },
      stop() {
        if (closed) return
        closed = true
        queue.length = 0
        open--
        if (open === 0) stop()
      },
    }
    return {
      [SLICES]: () => reader,
      async *[Symbol.asyncIterator]() {
        for (let slice = await reader.read(1); !slice.done; slice = await reader.read(1)) {
          yield* slice.items as T[]
        }
      },
    }
  })
}
