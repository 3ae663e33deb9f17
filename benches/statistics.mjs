/** Medians and the like, of few values. */

/** The value below which a `share` of the values lie, between neighbours by proportion; NaN of none. */
export function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b)
  const at = share * (sorted.length - 1)
  const below = sorted[Math.floor(at)] ?? Number.NaN
  const above = sorted[Math.ceil(at)] ?? Number.NaN
  return below + (above - below) * (at - Math.floor(at))
}

export const median = (values) => quantile(values, 0.5)
