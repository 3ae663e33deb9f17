/** How long the event loop keeps a timer waiting that is due every millisecond. Same for every contestant. */

/** Starts watching; the returned function stops and gives all delays in milliseconds. */
export function watchEventLoop() {
  const delays = []
  let last = performance.now()
  const timer = setInterval(() => {
    const now = performance.now()
    delays.push(Math.max(0, now - last - 1))
    last = now
  }, 1)
  return () => {
    clearInterval(timer)
    // What kept even this call from happening earlier.
    delays.push(Math.max(0, performance.now() - last - 1))
    return delays
  }
}
