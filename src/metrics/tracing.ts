/**
 * Spans of OpenTelemetry, for whoever asks for them: nothing is loaded and nothing is made until then. What a span is called and says is
 * in docs/measuring.md.
 */

import { MillraceError } from '../base/errors.js'
import { isError } from '../base/foreign.js'
import { importPeer } from '../peers/peer.js'

/** What is used of a span of OpenTelemetry. */
export interface TracedSpan {
  setAttribute(name: string, value: string | number | boolean): unknown
  setStatus(status: { code: number; message?: string }): unknown
  recordException(error: Error): void
  end(): void
}

/** What is used of a tracer of OpenTelemetry. Spans are children of what is active when they begin. */
export interface Tracer {
  startSpan(
    name: string,
    options?: { attributes?: Record<string, string | number | boolean> },
    context?: unknown,
  ): TracedSpan
}

interface Api {
  trace: {
    getTracer(name: string): Tracer
    setSpan(context: unknown, span: TracedSpan): unknown
  }
  context: { active(): unknown }
}

/** OpenTelemetry's status of a span that failed. */
const ERROR_STATUS = 2

let tracer: Tracer | undefined
let contextOf: ((span: TracedSpan) => unknown) | undefined

/**
 * Makes spans from now on, in the whole process: with the tracer that is given, or one of the package @opentelemetry/api. `false` ends it.
 *
 * @throws MillraceError PACKAGE_NOT_FOUND where no tracer is given and the package is not installed.
 *
 * @example
 * await instrument() // after the SDK has been started
 */
export async function instrument(given?: Tracer | false): Promise<void> {
  contextOf = undefined
  if (given !== undefined) {
    tracer = given === false ? undefined : given
    return
  }
  const { trace, context } = await importPeer<Api>('@opentelemetry/api', '^1', 'instrument')
  tracer = trace.getTracer('millrace')
  contextOf = (span) => trace.setSpan(context.active(), span)
}

/** A span under way; ended once. */
export class Trace {
  readonly #span: TracedSpan
  #ended = false

  constructor(span: TracedSpan) {
    this.#span = span
  }

  /** What the span belongs to, for its children; absent where the tracer was given without its package. */
  get context(): unknown {
    return contextOf?.(this.#span)
  }

  /** Ends the span, with what is known of it now, or with the error that it ended with. */
  end(attributes: Record<string, string | number | boolean>, error?: unknown): void {
    if (this.#ended) return
    this.#ended = true
    for (const [name, value] of Object.entries(attributes)) this.#span.setAttribute(name, value)
    if (error !== undefined) {
      const thrown = isError(error) ? error : new Error(String(error))
      if (thrown instanceof MillraceError) this.#span.setAttribute('error.type', thrown.code)
      this.#span.recordException(thrown)
      this.#span.setStatus({ code: ERROR_STATUS, message: thrown.message })
    }
    this.#span.end()
  }
}

/** Begins a span, where someone wants them. */
export function beginTrace(
  name: string,
  attributes: Record<string, string | number | boolean>,
  parent?: Trace,
): Trace | undefined {
  if (tracer === undefined) return undefined
  const context = parent?.context
  const options = { attributes }
  return new Trace(
    context === undefined ? tracer.startSpan(name, options) : tracer.startSpan(name, options, context),
  )
}

/** Does the work within a span. */
export async function traced<T>(
  name: string,
  attributes: Record<string, string | number | boolean>,
  work: () => Promise<T>,
  parent?: Trace,
): Promise<T> {
  const trace = beginTrace(name, attributes, parent)
  if (trace === undefined) return work()
  try {
    const result = await work()
    trace.end({})
    return result
  } catch (error) {
    trace.end({}, error)
    throw error
  }
}
