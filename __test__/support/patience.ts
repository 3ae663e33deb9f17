/**
 * How long a test waits for what must come soon. The machine may be busy with other programs, so this bound separates
 * "at once" from "never", or from "after all the work that was given up"; it says nothing about speed. How long
 * cancelling, closing and queries really take is measured by the benches.
 */
export const PATIENCE_MS = 15_000
