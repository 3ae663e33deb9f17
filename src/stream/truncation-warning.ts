/** Says once a process that texts were cut, when the caller never chose what happens to long ones. */

let warned = false

/** Warns if a row was cut and no warning went out before. `truncated` holds 1 for each cut row. */
export function warnOnceIfTruncated(truncated: Uint8Array): void {
  if (warned || !truncated.includes(1)) return
  warned = true
  process.emitWarning('A text is longer than the model takes and was cut', {
    type: 'MillraceWarning',
    code: 'MILLRACE_TRUNCATED',
    detail:
      "Each batch flags such rows in `truncated`. Set overflow: 'error' to fail instead, or overflow: 'truncate' to cut " +
      'without this warning.',
  })
}
