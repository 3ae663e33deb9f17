/** Shows how far a pipeline is: two redrawn lines on a terminal, else a line from time to time. It measures nothing itself. */

import cliProgress from 'cli-progress'
import type { PipelineMetrics, PipelineProgress } from '../../../index.js'
import { clock, count, isInteractive, painter, percent, say } from '../terminal.js'

/** A log that someone reads later needs no more. */
const LINE_EVERY_MS = 5000

/** The bar's own steps; the share is a fraction. */
const STEPS = 1000

const BAR_SIZE = 24

export interface IndexView {
  update(progress: PipelineProgress, metrics: PipelineMetrics): void
  /** Takes the lines away. */
  stop(): void
}

/** The view for standard error as it is. */
export function indexView(quiet: boolean): IndexView {
  if (quiet) return { update() {}, stop() {} }
  return isInteractive(process.stderr) ? new Lively() : new Lines()
}

class Lively implements IndexView {
  readonly #paint = painter(process.stderr)
  #lines: [string, string] = ['', '']
  #bars:
    | { multi: cliProgress.MultiBar; first: cliProgress.SingleBar; second: cliProgress.SingleBar }
    | undefined

  update(progress: PipelineProgress, metrics: PipelineMetrics): void {
    this.#lines = [describe(progress), this.#paint('dim', describeStages(progress, metrics))]
    const share = shareOf(progress)
    this.#bars ??= this.#start(share !== undefined)
    this.#bars.first.update(Math.round((share ?? 0) * STEPS))
    this.#bars.second.update(0)
  }

  stop(): void {
    this.#bars?.multi.stop()
    this.#bars = undefined
  }

  #start(hasTotal: boolean) {
    const multi = new cliProgress.MultiBar({
      stream: process.stderr,
      format: '',
      barsize: BAR_SIZE,
      hideCursor: true,
      clearOnComplete: true,
      // The command handles SIGINT and stops the lines itself.
      gracefulExit: false,
    })
    const draw = (_: cliProgress.Options, { progress, total }: cliProgress.Params) => {
      if (total === 0) return this.#lines[0]
      const full = Math.round(progress * BAR_SIZE)
      return `${'█'.repeat(full)}${'░'.repeat(BAR_SIZE - full)} ${this.#lines[0]}`
    }
    const first = multi.create(hasTotal ? STEPS : 0, 0, {}, { format: draw as unknown as string })
    const second = multi.create(0, 0, {}, { format: (() => this.#lines[1]) as unknown as string })
    return { multi, first, second }
  }
}

class Lines implements IndexView {
  #next = performance.now() + LINE_EVERY_MS

  update(progress: PipelineProgress, metrics: PipelineMetrics): void {
    const now = performance.now()
    if (now < this.#next) return
    this.#next = now + LINE_EVERY_MS
    say(`${describe(progress)}  ${describeStages(progress, metrics)}`)
  }

  stop(): void {}
}

function settled({ written, unchanged, duplicates, dropped, failed }: PipelineProgress): number {
  return written + unchanged + duplicates + dropped + failed
}

function shareOf(progress: PipelineProgress): number | undefined {
  const { total } = progress
  return total === undefined || total === 0 ? undefined : Math.min(settled(progress) / total, 1)
}

function describe(progress: PipelineProgress): string {
  const { total, seconds, chunksPerSecond, tokens, unchanged, failed, duplicates, dropped, cacheShare } =
    progress
  const done = settled(progress)
  const share = shareOf(progress)
  const parts = [
    ...(share === undefined ? [] : [`${Math.floor(share * 100)} %`]),
    `${count(done)}${total === undefined ? '' : ` of ${count(total)}`} documents`,
    `${count(chunksPerSecond)} chunks/s`,
    `${count(tokens / Math.max(seconds, 1e-3))} tokens/s`,
  ]
  if (unchanged > 0) parts.push(`${count(unchanged)} unchanged`)
  if (duplicates + dropped > 0) parts.push(`${count(duplicates + dropped)} left out`)
  if (failed > 0) parts.push(`${count(failed)} failed`)
  if (cacheShare !== undefined) parts.push(`${percent(cacheShare)} from the cache`)
  if (share !== undefined && share > 0 && share < 1)
    parts.push(`${clock((seconds / share) * (1 - share))} left`)
  return parts.join('  ')
}

/** Where the time goes: the stages work side by side, so the shares may add up to more than the whole. */
function describeStages({ seconds, waitingChunks }: PipelineProgress, metrics: PipelineMetrics): string {
  const stages = {
    read: 'sourceMs',
    clean: 'prepareMs',
    chunk: 'chunkMs',
    embed: 'embedMs',
    write: 'sinkMs',
  } as const
  const shares = Object.entries(stages).map(([name, key]) => {
    const share = metrics[key] / 1000 / Math.max(seconds, 1e-3)
    return `${name} ${Math.round(Math.min(share, 1) * 100)} %`
  })
  return `${shares.join(' · ')}  ${count(waitingChunks)} chunks on their way`
}
