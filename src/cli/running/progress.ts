/** Shows how far a run is: a bar on a terminal, else a line from time to time. It measures nothing itself. */

import cliProgress from 'cli-progress'
import type { Progress } from '../../../index.js'
import { clock, count, isInteractive, say } from '../terminal.js'

/** A log that someone reads later needs no more. */
const LINE_EVERY_MS = 5000

/** The bar's own steps; the share is a fraction. */
const STEPS = 1000

/** `share`: of the input, where its size is known. */
export interface ProgressView {
  update(progress: Progress, share: number | undefined): void
  /** Takes the bar away. */
  stop(): void
}

/** The view for standard error as it is. `unit`: what rows are called. */
export function progressView(unit: string, quiet: boolean): ProgressView {
  if (quiet) return { update() {}, stop() {} }
  return isInteractive(process.stderr) ? new Bar(unit) : new Lines(unit)
}

class Bar implements ProgressView {
  readonly #bar: cliProgress.SingleBar
  readonly #unit: string
  #started = false
  #text = ''

  constructor(unit: string) {
    this.#unit = unit
    this.#bar = new cliProgress.SingleBar({
      stream: process.stderr,
      format: (options, params) => this.#format(options, params),
      barsize: 24,
      hideCursor: true,
      clearOnComplete: true,
      // The command handles SIGINT and stops the bar itself.
      gracefulExit: false,
    })
  }

  update(progress: Progress, share: number | undefined): void {
    this.#text = describe(this.#unit, progress, share)
    if (!this.#started) this.#bar.start(share === undefined ? 0 : STEPS, 0)
    this.#started = true
    this.#bar.update(share === undefined ? 0 : Math.round(share * STEPS))
  }

  stop(): void {
    if (this.#started) this.#bar.stop()
    this.#started = false
  }

  #format(options: cliProgress.Options, { progress, total }: cliProgress.Params): string {
    if (total === 0) return this.#text
    const size = options.barsize ?? 24
    const full = Math.round(progress * size)
    return `${'█'.repeat(full)}${'░'.repeat(size - full)} ${this.#text}`
  }
}

class Lines implements ProgressView {
  readonly #unit: string
  #next = performance.now() + LINE_EVERY_MS

  constructor(unit: string) {
    this.#unit = unit
  }

  update(progress: Progress, share: number | undefined): void {
    const now = performance.now()
    if (now < this.#next) return
    this.#next = now + LINE_EVERY_MS
    say(describe(this.#unit, progress, share))
  }

  stop(): void {}
}

function describe(unit: string, { done, rowsPerSecond }: Progress, share: number | undefined): string {
  const parts = [`${count(done)} ${unit}`, `${count(rowsPerSecond)}/s`]
  if (share === undefined) return parts.join('  ')
  const left = share > 0 && rowsPerSecond > 0 ? (done / share - done) / rowsPerSecond : undefined
  if (left !== undefined && share < 1) parts.push(`${clock(left)} left`)
  return [`${Math.floor(share * 100)} %`, ...parts].join('  ')
}
