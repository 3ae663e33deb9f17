/**
 * Whatever a process was doing when it died, the store ends up as if it had not. Here the process dies in a sink, at a random moment
 * of a random run over random documents; in `kill.test.ts` it is really killed.
 */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type DeadLetter,
  EmbeddingPipeline,
  type EmbeddingPipelineOptions,
  type PipelineDocument,
  type PipelineRunOptions,
  SparseTextEmbedding,
} from '../../index.js'
import {
  byId,
  Crash,
  type Hook,
  LogSink,
  MemoryLetters,
  type Store,
  TableSink,
  temporaryDirectory,
} from './support.js'

let sparse: SparseTextEmbedding

beforeAll(async () => {
  sparse = await SparseTextEmbedding.create()
})

afterAll(async () => {
  await sparse.close()
})

const dir = temporaryDirectory()
let files = 0

/** Few ids and few texts, so that documents change, repeat and come twice; some are none. */
const document = fc.record({
  id: fc.oneof(
    { weight: 12, arbitrary: fc.integer({ min: 0, max: 30 }).map((n) => `d${n}`) },
    fc.constant(''),
  ),
  text: fc.oneof(
    {
      weight: 8,
      arbitrary: fc
        .array(fc.constantFrom('mill', 'race', 'water', 'wheel. ', 'stone'), { minLength: 0, maxLength: 30 })
        .map((words) => words.join(' ')),
    },
    fc.constantFrom('', 'The same text.', '  The same text. '),
  ),
  metadata: fc.record({ n: fc.integer({ min: 0, max: 2 }) }),
})

const source = fc.array(document, { minLength: 1, maxLength: 30 })

interface World {
  store: Store
  letters: DeadLetter[]
  journal: string
}

const newWorld = (): World => ({ store: { records: [] }, letters: [], journal: join(dir, `${files++}`) })

class MortalLetters extends MemoryLetters {
  readonly #hook: Hook

  constructor(letters: DeadLetter[], hook: Hook) {
    super(letters)
    this.#hook = hook
  }

  override async write(letters: readonly DeadLetter[]): Promise<void> {
    await this.#hook('before letters')
    await super.write(letters)
    await this.#hook('after letters')
  }

  override async commit(): Promise<number> {
    await this.#hook('before letters commit')
    const at = (await super.commit()) as number
    await this.#hook('after letters commit')
    return at
  }
}

type Kind = typeof TableSink | typeof LogSink

async function attempt(
  Kind: Kind,
  { store, letters, journal }: World,
  docs: PipelineDocument[],
  options: Partial<EmbeddingPipelineOptions>,
  run: PipelineRunOptions,
  hook: Hook = () => {},
): Promise<void> {
  const deadLetters = new MortalLetters(letters, hook)
  await using pipeline = await EmbeddingPipeline.create({
    sink: new Kind({ store, hook }),
    sparse,
    deadLetters,
    journal,
    ...options,
  })
  await pipeline.run(docs, run)
}

/** Runs until it comes through; dies at the given moments on the way. Answers how often it died. */
async function throughCrashes(
  deaths: readonly { after: number; torn: boolean }[],
  world: World,
  work: (hook: Hook) => Promise<void>,
): Promise<number> {
  let died = 0
  for (const { after, torn } of deaths) {
    let moments = 0
    try {
      await work(() => {
        if (moments++ >= after) throw new Crash(`moment ${after}`)
      })
      return died
    } catch (error) {
      if (moments <= after) throw error
      died++
      if (torn) tearCommit(world.journal)
    }
  }
  await work(() => {})
  return died
}

/** A machine that died may have lost the line of a commit, which is not waited for where documents were noted as begun. */
function tearCommit(journal: string): void {
  const content = readFileSync(journal)
  const last = content.lastIndexOf(10, content.length - 2) + 1
  if (last > 0 && content.toString('utf8', last).includes('"c":[[')) {
    writeFileSync(journal, content.subarray(0, last + Math.floor((content.length - last) / 2)))
  }
}

const deaths = fc.array(fc.record({ after: fc.integer({ min: 0, max: 25 }), torn: fc.boolean() }), {
  minLength: 1,
  maxLength: 5,
})

const options = fc.record({
  batchRecords: fc.integer({ min: 1, max: 6 }),
  duplicates: fc.constantFrom<EmbeddingPipelineOptions['duplicates'][]>(false, 'exact', 'near'),
  chunk: fc.constantFrom<EmbeddingPipelineOptions['chunk'][]>(false, { maxTokens: 12 }),
  order: fc.constantFrom<EmbeddingPipelineOptions['order'][]>('input', 'completion'),
})

describe('a process that dies', () => {
  it('leaves a table that the next ones complete, over changing sources too', async () => {
    let died = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(source, deaths), { minLength: 1, maxLength: 3 }),
        options,
        async (rounds, chosen) => {
          const world = newWorld()
          // The same runs where nothing dies. A source with a document that has no id prunes nothing, so one run over the last source is no measure.
          const calm = newWorld()
          const run = { prune: 'all' } as const
          for (const [docs, moments] of rounds) {
            died += await throughCrashes(moments, world, (hook) =>
              attempt(TableSink, world, docs, chosen, run, hook),
            )
            await attempt(TableSink, calm, docs, chosen, run)
            expect(byId(world.store)).toEqual(byId(calm.store))
          }
        },
      ),
      { numRuns: 40 },
    )
    expect(died).toBeGreaterThan(40)
  })

  it('leaves a log that the next ones complete, in the same order, letters too', async () => {
    let died = 0
    await fc.assert(
      fc.asyncProperty(source, deaths, options, async (docs, moments, chosen) => {
        const world = newWorld()
        const untorn = moments.map(({ after }) => ({ after, torn: false }))
        died += await throughCrashes(untorn, world, (hook) => attempt(LogSink, world, docs, chosen, {}, hook))
        const once = newWorld()
        await attempt(LogSink, once, docs, chosen, {})
        if (chosen.order === 'input') expect(world.store).toEqual(once.store)
        else expect(byId(world.store)).toEqual(byId(once.store))
        expect(world.letters.map(({ index }) => index).sort()).toEqual(
          once.letters.map(({ index }) => index).sort(),
        )
      }),
      { numRuns: 40 },
    )
    expect(died).toBeGreaterThan(20)
  })
})
