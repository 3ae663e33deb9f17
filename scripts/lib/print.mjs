/** What the scripts say: lines to standard output, complaints to standard error. */

export const print = (line) => process.stdout.write(`${line}\n`)
export const complain = (line) => process.stderr.write(`${line}\n`)
