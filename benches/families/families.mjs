/**
 * What is compared: a family a row, with its model, its inputs and the settings of the rival. Both sides read the same files
 * under the same registered name.
 */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fingerprint, isCurrent, remember } from '../../scripts/lib/fingerprint.mjs'
import { ROOT, run } from '../../scripts/lib/run.mjs'
import { corpus, spread } from '../texts.mjs'

const HERE = join(ROOT, 'benches', 'families')

/** Everything made here can be deleted at any time. */
const KEPT = join(ROOT, '.millrace', 'families')

/** Documents of each reranked query: what a search hands over. */
const CANDIDATES = 64

/** Batch sizes of the rival; 0 stands for its own default. */
const BATCHES = [0, 32, 8, 1].map((batch) => ({ batch }))

/** Makes models and pictures; the reason when that fails. What was made for the same script stays. */
function make(python, say) {
  const print = fingerprint(['benches/families/python/models.py'])
  if (isCurrent('families-models', print) && existsSync(join(KEPT, 'pictures'))) return undefined
  if (python === undefined) return 'there are no models, and Python makes them'
  say('making models and pictures')
  const tokenizer = join(ROOT, 'models', 'all-minilm-l6-v2')
  if (run([python, join(HERE, 'python', 'models.py'), tokenizer, KEPT]) !== 0) return 'models.py failed'
  remember('families-models', print)
  return undefined
}

/**
 * The families: `inputs(count)` makes them, `resources` says how many inputs of memory's two runs, `reason` why a family cannot be
 * measured. A setting's `count` is how many inputs it gets where not all.
 */
export function families(python, say) {
  const reason = make(python, say)
  const { texts, titles } = corpus()
  const text = (count) => spread(texts, count)
  const pictures = (count) => {
    const folder = join(KEPT, 'pictures')
    const files = readdirSync(folder).sort()
    return Array.from({ length: count }, (_, i) => join(folder, files[i % files.length]))
  }
  const vision = (patch) => ({
    id: `image-${patch}`,
    label: `image (ViT, patch ${patch})`,
    family: 'image',
    model: 'Qdrant/clip-ViT-B-32-vision',
    directory: join(KEPT, `vision-${patch}`),
    inputs: pictures,
    count: 96,
    resources: [60, 600],
    dim: 512,
    settings: [{ batch: 0 }, { batch: 32 }, { batch: 4 }, { batch: 1 }],
    reason,
  })
  return [
    {
      id: 'bm25',
      label: 'sparse (BM25)',
      family: 'sparse',
      model: 'Qdrant/bm25',
      // The rival reads its stop words from a directory; they are the ones that millrace has built in.
      rivalDirectory: join(ROOT, 'crates', 'text', 'src', 'bm25', 'stopwords'),
      inputs: text,
      count: 30_000,
      resources: [30_000, 300_000],
      settings: [{ batch: 0 }, { batch: 0, parallel: 0 }, { batch: 2048, parallel: 0 }, { batch: 16 }],
    },
    {
      id: 'splade',
      label: 'sparse (SPLADE++)',
      family: 'sparse',
      model: 'prithivida/Splade_PP_en_v1',
      directory: join(KEPT, 'splade'),
      inputs: text,
      count: 160,
      resources: [120, 1200],
      // Logits of all tokens of a batch, several times over and as float64: of 256 texts they would take 40 GB.
      settings: [{ batch: 0, count: 48 }, ...BATCHES.slice(1)],
      reason,
    },
    {
      id: 'colbert',
      label: 'late interaction (ColBERT)',
      family: 'late',
      model: 'colbert-ir/colbertv2.0',
      directory: join(KEPT, 'colbert'),
      inputs: text,
      count: 256,
      resources: [600, 6000],
      dim: 128,
      settings: BATCHES,
      reason,
    },
    {
      id: 'rerank',
      label: 'rerank (cross encoder)',
      family: 'rerank',
      model: 'Xenova/ms-marco-MiniLM-L-6-v2',
      directory: join(KEPT, 'cross-encoder'),
      inputs: (count) => {
        const documents = spread(texts, count)
        const queries = count / CANDIDATES
        // Every so many-th, so that each query gets documents of all lengths.
        return spread(titles, queries).map((query, i) => [
          query,
          documents.filter((_, d) => d % queries === i),
        ])
      },
      count: 4 * CANDIDATES,
      resources: [200, 2000],
      settings: BATCHES,
      reason,
    },
    vision(16),
    vision(32),
  ]
}

export const oursCommand = ({ family, model, directory }) => [
  process.execPath,
  join(HERE, 'contestant.mjs'),
  family,
  model,
  ...(directory === undefined ? [] : [directory]),
]

export const rivalCommand = (python, { family, model, directory, rivalDirectory }) => [
  python,
  join(HERE, 'python', 'contestant.py'),
  family,
  model,
  rivalDirectory ?? directory,
]

export const resourcesCommand = ({ family, model, directory }, path, count) => [
  process.execPath,
  join(HERE, 'resources.mjs'),
  family,
  model,
  directory ?? '-',
  path,
  `${count}`,
]
