/**
 * millrace's families beside fastembed for Python: `node benches/families/run.mjs [--only=splade,rerank] [--rounds=3]
 * [--no-resources]`.
 *
 * Of each family, millrace and the rival in each of its settings run in turns, millrace before and after every run of the
 * rival; a ratio is made with these neighbours in time, and the median counts. Rows of both sides are compared. Then millrace
 * alone: peak memory of few and of ten times as many inputs, and the event loop meanwhile.
 * Results: bench-results/families.json.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { print } from '../../scripts/lib/print.mjs'
import { outputOf, ROOT, SetupError, script } from '../../scripts/lib/run.mjs'
import { Child } from '../rivals/child.mjs'
import { installPython } from '../rivals/install.mjs'
import { median } from '../statistics.mjs'
import { spread } from '../texts.mjs'
import { agreement } from './compare.mjs'
import { families, oursCommand, resourcesCommand, rivalCommand } from './families.mjs'
import { printTable } from './table.mjs'

const say = (line) => print(`bench:families: ${line}`)

/** Inputs as both sides count them: a query's documents are so many. */
const size = (inputs) =>
  Array.isArray(inputs[0]) ? inputs.flatMap(([, documents]) => documents).length : inputs.length

const readRows = async (child, path) => {
  await child.ask(`rows ${path}`)
  return JSON.parse(readFileSync(path, 'utf8'))
}

/** The comparison of one family. Its files lie in `folder`. */
class Comparison {
  #family
  #folder
  #inputs
  #ours
  #rates = []

  constructor(family, folder) {
    this.#family = family
    this.#folder = folder
    this.#inputs = family.inputs(family.count)
  }

  async start() {
    this.#ours = new Child(oursCommand(this.#family))
    await this.#ours.ask(`inputs ${this.inputsFile()}`)
  }

  /** A file of all inputs, or of `count`. */
  inputsFile(count = this.#family.count) {
    const path = join(this.#folder, `${this.#family.id}-${count}.json`)
    const all = count === this.#family.count
    writeFileSync(path, JSON.stringify(all ? this.#inputs : spread(this.#inputs, count)))
    return path
  }

  async ourTurn() {
    const { seconds } = await this.#ours.ask('run')
    this.#rates.push(size(this.#inputs) / seconds)
    return this.#rates.at(-1)
  }

  /** The rival in one setting, and millrace around it. */
  async against(python, setting, rounds) {
    const { batch, parallel = -1, count } = setting
    const theirs = new Child(rivalCommand(python, this.#family))
    try {
      await theirs.ask(`inputs ${this.inputsFile(count)}`)
      const [rates, ratios] = [[], []]
      let before = await this.ourTurn()
      for (let round = 0; round < rounds; round++) {
        const { seconds } = await theirs.ask(`run ${batch} ${parallel}`)
        rates.push((count ?? size(this.#inputs)) / seconds)
        const after = await this.ourTurn()
        ratios.push((before + after) / 2 / rates.at(-1))
        before = after
      }
      // A part of the inputs gives other rows.
      const agrees = count === undefined ? await this.#agreement(theirs) : undefined
      const usual = batch === 0 && parallel < 0
      const row = { batch, parallel, usual, ratio: median(ratios), rate: median(rates), ratios, agrees }
      return { ...row, peakMemory: theirs.peakMemory() }
    } finally {
      await theirs.close()
    }
  }

  async #agreement(theirs) {
    const { family, dim } = this.#family
    const ours = await readRows(this.#ours, join(this.#folder, 'ours.json'))
    return agreement(family, ours, await readRows(theirs, join(this.#folder, 'theirs.json')), dim)
  }

  get rate() {
    return median(this.#rates)
  }

  async close() {
    await this.#ours?.close()
  }
}

const name = ({ batch, parallel = -1 }) =>
  `batch ${batch || 'default'}${parallel === 0 ? ', parallel on all cores' : ''}`

function measureResources(family, path) {
  return family.resources.map((count) => {
    const out = outputOf(resourcesCommand(family, path, count))
    if (out === undefined) throw new Error(`resources.mjs failed on ${count} inputs`)
    return { count, ...JSON.parse(out) }
  })
}

/** The result of one family; `absent` says why parts are missing. */
async function measure(family, python, { folder, rounds, resources }) {
  const { id, label } = family
  if (family.reason !== undefined) return { id, label, absent: family.reason }
  const comparison = new Comparison(family, folder)
  const result = { id, label, rivals: [], absent: python.reason }
  try {
    await comparison.start()
    for (let i = 0; python.reason !== undefined && i < rounds; i++) await comparison.ourTurn()
    for (const setting of python.reason === undefined ? family.settings : []) {
      try {
        const row = await comparison.against(python.python, setting, rounds)
        result.rivals.push(row)
        const equal = row.agrees === undefined ? '' : `, agreement ${row.agrees.toFixed(6)}`
        say(`${label}, ${name(setting)}: ${row.rate.toFixed(1)}/s, millrace ${row.ratio.toFixed(2)}×${equal}`)
      } catch (error) {
        result.absent = `${name(setting)}: ${error.message}`
        say(`${label}, ${result.absent}`)
      }
    }
    result.rate = comparison.rate
  } finally {
    await comparison.close()
  }
  if (resources) result.resources = measureResources(family, comparison.inputsFile())
  return result
}

await script('bench:families', async (args) => {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: 'string' },
      rounds: { type: 'string', default: '3' },
      'no-resources': { type: 'boolean', default: false },
    },
  })
  const [load] = loadavg()
  const started = performance.now()
  const python = installPython(say)
  if (python.reason !== undefined) say(`only millrace is measured: ${python.reason}`)
  const only = values.only?.split(',')
  const chosen = families(python.python, say).filter(({ id }) => only?.includes(id) ?? true)
  if (chosen.length === 0) throw new SetupError(`Expected families for --only but received ${values.only}`)
  const folder = mkdtempSync(join(tmpdir(), 'millrace-families-'))
  const options = { folder, rounds: Number(values.rounds), resources: !values['no-resources'] }
  const rows = []
  try {
    for (const family of chosen) rows.push(await measure(family, python, options))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  const seconds = Math.round((performance.now() - started) / 1000)
  const result = { date: new Date().toISOString(), cpu: cpus()[0]?.model, load, seconds, families: rows }
  printTable(result)
  mkdirSync(join(ROOT, 'bench-results'), { recursive: true })
  const file = only === undefined ? 'families.json' : 'families-part.json'
  writeFileSync(join(ROOT, 'bench-results', file), `${JSON.stringify(result, undefined, 2)}\n`)
})
