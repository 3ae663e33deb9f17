/**
 * From a fresh clone to something that runs: dependencies, addon, runtime library, TypeScript. Every npm script calls
 * it first, because `ignore-scripts` in .npmrc silences pre- and post-scripts too. What is there already is kept.
 *
 *   node scripts/setup.mjs [--only=dependencies,addon,runtime,typescript]
 */

import { print } from './lib/print.mjs'
import { requireCompiler, requireNode, requirePlatform, requireRust } from './lib/requirements.mjs'
import { SetupError, script } from './lib/run.mjs'

const STEPS = ['dependencies', 'addon', 'runtime', 'typescript']

await script('setup', async (args) => {
  const started = performance.now()
  const only =
    args
      .find((arg) => arg.startsWith('--only='))
      ?.slice('--only='.length)
      .split(',') ?? STEPS
  const unknown = [
    ...args.filter((arg) => !arg.startsWith('--only=')),
    ...only.filter((step) => !STEPS.includes(step)),
  ]
  if (unknown.length > 0)
    throw new SetupError(`Expected --only=${STEPS.join(',')} but received ${unknown.join(' ')}`)

  let spoken = 0
  const say = (line) => {
    spoken++
    print(`setup: ${line}`)
  }
  requireNode()
  const platform = requirePlatform()
  if (only.includes('addon')) {
    requireRust()
    requireCompiler()
  }
  // Imported late: the steps need packages that the first one installs.
  const steps = await import('./lib/steps.mjs')
  if (only.includes('dependencies')) steps.installDependencies(say)
  if (only.includes('runtime')) steps.takeRuntime(platform, say)
  if (only.includes('addon')) {
    steps.buildAddon(platform, say)
    await steps.writeBindingTypes(say)
  }
  if (only.includes('typescript')) steps.buildTypeScript(say)
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  print(`setup: ${spoken === 0 ? 'up to date' : 'done'} (${seconds} s)`)
})
