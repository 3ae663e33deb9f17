/** Which failures of the network are tried again, when, and how often. */

import { type Backoff, backoffMs, retried } from '../base/retry.js'

/** How patient the store is. */
export interface NetworkTiming {
  /** Attempts in a row without a new byte. */
  attempts: number
  /** Our own pauses. */
  backoff: Backoff
  /** Longest pause a server may ask for; beyond it the call fails and says when to come back. */
  retryAfterMostMs: number
  /** Longest silence on a connection. */
  stallMs: number
}

export const NETWORK_TIMING: NetworkTiming = {
  // With the pauses between them about eight seconds: a router restarting, not an outage.
  attempts: 5,
  backoff: { firstMs: 500, longestMs: 30_000 },
  // The hub counts requests in windows of five minutes.
  retryAfterMostMs: 300_000,
  stallMs: 30_000,
}

/** A failure of the network or the hub, before it becomes an error of the library. */
export class HubFailure extends Error {
  override readonly name = 'HubFailure'
  /** HTTP status, when there was an answer. */
  readonly status: number | undefined
  /** The hub's own word for it: `EntryNotFound`, `RepoNotFound`, `GatedRepo`… */
  readonly hubCode: string | undefined
  /** Whether trying again may help. */
  readonly retry: boolean
  /** How long the server asks to wait. */
  readonly retryAfterMs: number | undefined

  constructor(
    message: string,
    details: { status?: number; hubCode?: string; retry: boolean; retryAfterMs?: number; cause?: unknown },
  ) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined)
    this.status = details.status
    this.hubCode = details.hubCode
    this.retry = details.retry
    this.retryAfterMs = details.retryAfterMs
  }
}

/** Statuses that pass: time-outs, too many requests, a server in trouble. */
export function isPassing(status: number): boolean {
  return [408, 425, 429, 500, 502, 503, 504].includes(status)
}

/** `Retry-After` in seconds or as a date, else the reset time of a `RateLimit` header (`"api";r=0;t=55`). */
export function retryAfter(
  header: (name: string) => string | undefined,
  now = Date.now(),
): number | undefined {
  const value = header('retry-after')?.trim()
  if (value !== undefined) {
    if (/^\d+$/.test(value)) return Number(value) * 1000
    const date = Date.parse(value)
    if (!Number.isNaN(date)) return Math.max(0, date - now)
  }
  const reset = /(?:^|;)\s*t=(\d+)/.exec(header('ratelimit') ?? '')?.[1]
  return reset === undefined ? undefined : Number(reset) * 1000
}

/**
 * Runs `attempt` until it succeeds, fails for good, or has failed `attempts` times in a row. `progress` counts bytes
 * that no attempt had before; after progress the count starts again, so a bad line finishes, and a server that always
 * breaks at the same place does not go on for ever.
 */
export function withRetries<T>(
  attempt: () => Promise<T>,
  timing: NetworkTiming,
  signal: AbortSignal,
  progress: () => number = () => 0,
): Promise<T> {
  let failures = 0
  let best = progress()
  const pauseMs = (error: unknown): number | undefined => {
    if (!(error instanceof HubFailure) || !error.retry) return undefined
    failures = progress() > best ? 1 : failures + 1
    best = Math.max(best, progress())
    if (failures >= timing.attempts || (error.retryAfterMs ?? 0) > timing.retryAfterMostMs) return undefined
    return pause(failures, timing, error.retryAfterMs)
  }
  return retried(attempt, pauseMs, signal)
}

/** Between half of the step and the step, so that many clients do not come back together. Never before the server's time. */
function pause(failures: number, { backoff }: NetworkTiming, asked: number | undefined): number {
  const jittered = backoffMs(failures, backoff) * (0.5 + Math.random() / 2)
  return asked === undefined ? jittered : asked + jittered / 2
}
