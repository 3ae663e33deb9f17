/** Tries to load the runtime library twice and a model once, and reports how that went; it must end by itself. */

import { millrace, report } from './lib.mjs'

const attempt = async (load) => {
  const started = performance.now()
  try {
    return { code: 'none', message: (await load()).path, milliseconds: performance.now() - started }
  } catch (error) {
    const code = error instanceof millrace.MillraceError ? error.code : `not ours: ${error}`
    return { code, message: error.message, milliseconds: performance.now() - started }
  }
}

const first = await attempt(() => millrace.runtimeInfo())
const again = await attempt(async () => {
  const model = await millrace.TextEmbedding.create()
  const { runtime } = await model.info()
  await model.close()
  return runtime
})
report({ ...first, again: again.code })
