/** What `millrace bench speed` found, as a table and as a picture. */

import { writeFile } from 'node:fs/promises'
import { bytes, count, painter, percent, print, say } from '../terminal.js'
import { type BarGroup, chart } from './chart.js'
import { measureSpeed, type Percentiles, type SpeedFlags, type SpeedResult } from './speed.js'

/** Measures, prints, draws. */
export async function runSpeed(
  files: readonly string[],
  flags: SpeedFlags,
  signal: AbortSignal,
): Promise<void> {
  const result = await measureSpeed(files, flags, signal)
  if (flags.chart !== undefined) await writeFile(flags.chart, picture(result))
  if (flags.json === true) await print(`${JSON.stringify(result)}\n`)
  else await print(table(result))
  if (flags.chart !== undefined && flags.json !== true) say(`millrace: ${flags.chart} has the chart`)
}

const ms = (value: number): string => `${value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)} ms`
const three = ({ p50, p95, p99 }: Percentiles): string => [p50, p95, p99].map(ms).join(' · ')

/** Lines for people. */
function table(result: SpeedResult): string {
  const { cache } = result
  const rows: [string, string][] = [
    ['texts', `${count(result.texts)} of ${result.tokensPerText.toFixed(0)} tokens`],
    ['bulk', `${count(result.textsPerSecond)} texts/s, ${count(result.tokensPerSecond)} tokens/s`],
    ['padding', percent(result.paddingShare)],
    ['query alone, p50 · p95 · p99', three(result.idleQuery)],
    ['query beside bulk work', three(result.busyQuery)],
    ['event loop meanwhile', `${three(result.eventLoop)}, worst ${ms(result.eventLoop.max)}`],
    ['first vector after', ms(result.firstVectorMs)],
    ['peak memory', `${bytes(result.peakMemory)}, of it weights ${bytes(result.weights)}`],
    ['from a cache in memory', `${count(cache.memory)} texts/s (${times(cache.memory / cache.cold)})`],
    ['from a cache in files', `${count(cache.disk)} texts/s (${times(cache.disk / cache.cold)})`],
  ]
  const width = Math.max(...rows.map(([name]) => name.length))
  const dim = painter(process.stdout)
  const head = `${result.model}, ${result.cores} cores of ${result.cpu}, medians of ${result.rounds} rounds`
  return `${dim('bold', head)}\n${rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}\n`).join('')}`
}

const times = (ratio: number): string => `${count(ratio)} ×`

/** The same as SVG. */
function picture(result: SpeedResult): string {
  const rate = (label: string, value: number) => ({ label, value, text: `${count(value)} texts/s` })
  const time = (label: string, value: number) => ({ label, value, text: ms(value) })
  const { idleQuery, busyQuery, eventLoop, cache } = result
  const groups: BarGroup[] = [
    { title: 'Bulk work; longer is better', bars: [rate('embedded', result.textsPerSecond)] },
    {
      title: 'From a cache; longer is better',
      bars: [rate('in memory', cache.memory), rate('in files', cache.disk)],
    },
    {
      title: 'One query; shorter is better',
      bars: [
        time('alone, p50', idleQuery.p50),
        time('alone, p99', idleQuery.p99),
        time('beside bulk work, p50', busyQuery.p50),
        time('beside bulk work, p99', busyQuery.p99),
      ],
    },
    {
      title: 'Event loop delay beside bulk work; shorter is better',
      bars: [time('p99', eventLoop.p99), time('worst', eventLoop.max)],
    },
    {
      title: 'Memory; shorter is better',
      bars: [
        { label: 'peak of the process', value: result.peakMemory, text: bytes(result.peakMemory) },
        { label: 'weights', value: result.weights, text: bytes(result.weights) },
      ],
    },
  ]
  const note = `${count(result.texts)} texts of ${result.tokensPerText.toFixed(0)} tokens, padding ${percent(result.paddingShare)}`
  const foot = `${result.cores} cores, ${result.cpu}, ${new Date().toISOString().slice(0, 10)}; millrace bench speed`
  return chart(result.model, note, foot, groups)
}
