/**
 * Measures how long the turns of the event loop are, in processor time of the loop's own thread. The delay of a timer
 * by the clock also contains the time in which other programs had the core, so on a busy machine it says nothing of
 * us; work that we do on the loop's thread costs processor time on any machine. The delay by the clock is a figure of
 * the benches.
 */

import { readFileSync } from 'node:fs'

/** Milliseconds of processor time that the calling thread has used, from the most exact source that is there. */
function threadClock() {
  // Node 23.9 and later.
  if (process.threadCpuUsage !== undefined) {
    return () => {
      const { user, system } = process.threadCpuUsage()
      return (user + system) / 1000
    }
  }
  // Linux: the first number is the thread's time on a core in nanoseconds. The main thread's id is the process's.
  const file = `/proc/self/task/${process.pid}/schedstat`
  const read = () => Number(readFileSync(file, 'latin1').split(' ')[0]) / 1e6
  try {
    if (Number.isFinite(read())) return read
  } catch {
    // Another system, or a kernel without these statistics.
  }
  return () => performance.now()
}

/**
 * Starts to watch. The returned function stops and gives the 99th percentile and the maximum of the turns' processor
 * time in milliseconds. A timer that is due every millisecond marks the turns.
 */
export function watchTurns() {
  const clock = threadClock()
  const turns = []
  let last = clock()
  const mark = () => {
    const now = clock()
    turns.push(now - last)
    last = now
  }
  const timer = setInterval(mark, 1)
  return () => {
    clearInterval(timer)
    mark()
    turns.sort((a, b) => a - b)
    return { p99: turns[Math.floor(turns.length * 0.99)] ?? 0, max: turns.at(-1) ?? 0, turns: turns.length }
  }
}
