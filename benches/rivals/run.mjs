/**
 * millrace beside its rivals: `node benches/rivals/run.mjs [--texts=600] [--rounds=3] [--only=python,rust] [--short]`.
 *
 * Every measurement is a process of its own. In the first round every contestant runs in every setting; later rounds
 * repeat the usual and the best one. millrace runs between any two of them, and a ratio is made with
 * its neighbours in time.
 * Results: bench-results/rivals.json and, for the full comparison, docs/rivals.svg.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { print } from '../../scripts/lib/print.mjs'
import { ROOT, SetupError, script } from '../../scripts/lib/run.mjs'
import { median } from '../statistics.mjs'
import { corpus, LIMIT, spread } from '../texts.mjs'
import { writeChart } from './chart.mjs'
import { Child, CORES } from './child.mjs'
import { compareVectors } from './compare.mjs'
import { families, referenceCommand } from './contestants.mjs'
import { MODELS } from './install.mjs'
import { printTable } from './table.mjs'

const RESULTS = join(ROOT, 'bench-results')

const say = (line) => print(`bench:rivals: ${line}`)

class Comparison {
  #folder = mkdtempSync(join(tmpdir(), 'millrace-rivals-'))
  #textsFile = join(this.#folder, 'texts.json')
  #referenceFile = join(this.#folder, 'reference.f32')
  #count

  constructor(texts) {
    this.#count = texts.length
    writeFileSync(this.#textsFile, JSON.stringify(texts))
  }

  async computeReference() {
    const child = new Child(referenceCommand())
    await child.ask(`texts ${this.#textsFile}`)
    await child.ask('run 0')
    await child.ask(`vectors ${this.#referenceFile}`)
    await child.close()
  }

  /** One process, one pass over the texts. */
  async measure(family, batch) {
    const child = new Child(family.command, family.env)
    try {
      await child.ask(`texts ${this.#textsFile}`)
      const { seconds, worstDelayMs } = await child.ask(`run ${batch}`)
      const peakMemory = child.peakMemory()
      const file = join(this.#folder, 'vectors.f32')
      const { dim } = await child.ask(`vectors ${file}`)
      const distance = compareVectors(file, this.#referenceFile, dim)
      return { textsPerSecond: this.#count / seconds, peakMemory, worstDelayMs, ...distance }
    } finally {
      await child.close()
    }
  }

  remove() {
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** A family's row for one batch size, and what was measured of it. */
const newRow = ({ id, label, model, usual }, batch) => ({
  id,
  label,
  model,
  batch,
  usual: batch === usual,
  rates: [],
  ratios: [],
  peakMemory: 0,
  worstDelayMs: undefined,
  minCosine: 1,
  maxDifference: 0,
})

function note(row, measured) {
  row.rates.push(measured.textsPerSecond)
  row.peakMemory = Math.max(row.peakMemory, measured.peakMemory ?? 0)
  if (measured.worstDelayMs !== undefined) {
    row.worstDelayMs = Math.max(row.worstDelayMs ?? 0, measured.worstDelayMs)
  }
  row.minCosine = Math.min(row.minCosine, measured.minCosine)
  row.maxDifference = Math.max(row.maxDifference, measured.maxDifference)
}

/** The settings of a family in this round. */
function settingsOf(family, rows, round) {
  const own = rows.filter((row) => row.id === family.id)
  if (round === 0) return own
  const best = own.toSorted((a, b) => median(b.rates) - median(a.rates))[0]
  return own.filter((row) => row === best || row.usual)
}

async function compare(chosen, texts, rounds) {
  const comparison = new Comparison(texts)
  const [first, ...others] = chosen
  const rows = chosen.flatMap((family) => family.batches.map((batch) => newRow(family, batch)))
  const [ours] = rows
  try {
    say('computing the reference vectors')
    await comparison.computeReference()
    const ourTurn = async () => {
      const measured = await comparison.measure(first, 0)
      note(ours, measured)
      return measured.textsPerSecond
    }
    for (let round = 0; round < rounds; round++) {
      let before = await ourTurn()
      for (const family of others) {
        if (family.reason !== undefined) continue
        for (const row of settingsOf(family, rows, round)) {
          try {
            const measured = await comparison.measure(family, row.batch)
            note(row, measured)
            const after = await ourTurn()
            row.ratios.push((before + after) / 2 / measured.textsPerSecond)
            before = after
            say(
              `round ${round + 1}: ${row.label}, ${row.model}, batch ${row.batch || 'default'}: ` +
                `${measured.textsPerSecond.toFixed(1)} texts/s, millrace ${row.ratios.at(-1).toFixed(2)}×`,
            )
          } catch (error) {
            family.reason = error.message
            say(`${row.label}, ${row.model}: ${error.message}`)
            break
          }
        }
      }
    }
  } finally {
    comparison.remove()
  }
  return rows
}

await script('bench:rivals', async (args) => {
  const { values } = parseArgs({
    args,
    options: {
      texts: { type: 'string', default: '600' },
      rounds: { type: 'string', default: '3' },
      only: { type: 'string' },
      short: { type: 'boolean', default: false },
    },
  })
  if (!existsSync(join(MODELS, 'model.onnx'))) {
    throw new SetupError(
      `the rivals need the fp32 model, and ${join(MODELS, 'model.onnx')} is not there`,
      'export it with models/all-minilm-l6-v2/how/export_bert.py and name its folder in MILLRACE_BENCH_MODELS',
    )
  }
  const only = values.only?.split(',')
  const all = families(say)
  const chosen = all.filter(({ id }) => id === 'millrace' || (only?.includes(id) ?? true))
  const source = corpus()
  const texts = spread(values.short ? source.titles : source.texts, Number(values.texts))
  say(`${texts.length} texts of ${source.path}, at most ${LIMIT} tokens, ${CORES} cores`)
  const started = performance.now()
  const [load] = loadavg()
  const rows = await compare(chosen, texts, Number(values.rounds))
  const result = {
    date: new Date().toISOString(),
    cpu: cpus()[0]?.model,
    cores: Math.min(CORES, availableParallelism()),
    node: process.version,
    texts: texts.length,
    kind: values.short ? 'short' : 'descriptions',
    limit: LIMIT,
    load,
    seconds: Math.round((performance.now() - started) / 1000),
    rows: rows
      .filter((row) => row.rates.length > 0)
      .map(({ rates, ratios, ...row }) => ({
        ...row,
        textsPerSecond: median(rates),
        rates,
        millraceRatio: row.id === 'millrace' ? 1 : median(ratios),
      })),
    absent: chosen
      .filter(({ reason }) => reason !== undefined)
      .map(({ id, label, model, reason }) => ({ id, label, model, reason })),
  }
  printTable(result)
  mkdirSync(RESULTS, { recursive: true })
  const name = values.short ? 'rivals-short.json' : 'rivals.json'
  writeFileSync(join(RESULTS, name), `${JSON.stringify(result, undefined, 2)}\n`)
  if (only === undefined && !values.short) writeChart(result, join(ROOT, 'docs', 'rivals.svg'))
})
