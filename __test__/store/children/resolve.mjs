/**
 * Resolves a model in a process of its own, with the timing that users have unless another is given. Options and timing
 * are JSON; each progress is a line, the last one is the result or the error.
 */

const print = (value) => process.stdout.write(`${JSON.stringify(value)}\n`)
const { resolveModel } = await import(new URL('../../../dist/esm/src/store/resolve.js', import.meta.url).href)

try {
  const options = JSON.parse(process.argv[2])
  const timing = process.argv[3] && JSON.parse(process.argv[3])
  print({ started: true })
  print(await resolveModel({ ...options, onProgress: (progress) => print({ progress }) }, timing))
} catch (error) {
  print({ code: error.code, message: error.message, cause: String(error.cause) })
}
