/** Resolves models in processes of their own. */

import type { ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { DownloadProgress } from '../../../src/options/model.js'
import type { ResolveOptions } from '../../../src/store/options.js'
import type { ResolvedModel, StoreTiming } from '../../../src/store/resolve.js'
import { ROOT } from '../../support/paths.js'
import { runChild } from '../../support/run-child.js'
import { bareEnvironment } from './fixture.js'

type Line = Partial<ResolvedModel> & {
  started?: true
  progress?: DownloadProgress
  code?: string
  message?: string
  cause?: string
}

export interface ResolvedByChild {
  /** The result or the error. */
  last: Line
  lines: Line[]
  signal: NodeJS.Signals | null
  milliseconds: number
}

export interface ChildSettings {
  env?: Record<string, string>
  /** A program of `children/` that is loaded first. */
  preload?: string
  timing?: StoreTiming
  /** Called with what was printed so far. */
  onLines?: (lines: Line[], child: ChildProcess) => void
}

const here = (name: string) => join(ROOT, '__test__/store/children', name)

export async function resolveInChild(
  options: ResolveOptions,
  { env = {}, preload, timing, onLines }: ChildSettings = {},
): Promise<ResolvedByChild> {
  const lines = (output: string) =>
    output
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Line)
  const { stdout, stderr, signal, milliseconds } = await runChild('../../store/children/resolve.mjs', {
    args: [JSON.stringify(options), ...(timing === undefined ? [] : [JSON.stringify(timing)])],
    env: { ...bareEnvironment(), ...env },
    node: preload === undefined ? [] : ['--import', pathToFileURL(here(preload)).href],
    onOutput: (output, child) => onLines?.(lines(output), child),
  })
  if (stderr !== '') throw new Error(stderr)
  const all = lines(stdout)
  return { last: all.at(-1) ?? {}, lines: all, signal, milliseconds }
}
