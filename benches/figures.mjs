/**
 * The figures millrace means to reach, each with how it is read from the results. They are shown, not enforced: a shared machine
 * is no judge. What must hold everywhere is in the tests.
 */

/** Of the rivals' results: how much faster millrace's row is than the rows of `id`, at its usual or its best setting. */
function over(rivals, id, which, oursId = 'millrace') {
  const rows = rivals.rows.filter((row) => row.id === id)
  if (rows.length === 0) return undefined
  const best = rows.reduce((a, b) => (b.textsPerSecond > a.textsPerSecond ? b : a))
  const row = which === 'best' ? best : rows.find(({ usual }) => usual)
  const ours = rivals.rows.find((candidate) => candidate.id === oursId)
  if (row === undefined || ours === undefined) return undefined
  // Ratios of neighbours in time where there are some: they are steadier than ratios of medians.
  return oursId === 'millrace' ? row.millraceRatio : ours.textsPerSecond / row.textsPerSecond
}

const rivalFigure = (name, least, id, which) => ({
  name,
  from: 'rivals',
  least,
  unit: '×',
  read: (rivals) => over(rivals, id, which),
})

/** The contestant of bare sessions that did best on a set: the lowest ratio of millrace to any of them. */
function beside(endToEnd, model, lengths) {
  const rows = (endToEnd.throughput ?? []).filter(
    (row) => row.model === model && row.lengths === lengths && row.contestant.startsWith('bare'),
  )
  return rows.length === 0 ? undefined : Math.min(...rows.map((row) => row.millraceRatio))
}

/** On graphs whose rows run alone, millrace's way is beside bare runs one by one. */
function besideAlone(endToEnd, model, lengths) {
  return (endToEnd.throughput ?? []).find(
    (row) => row.model === model && row.lengths === lengths && row.contestant === 'bare, one by one',
  )?.millraceRatio
}

/** Least agreement with the rival's outputs: decoders of JPEG and versions of ONNX Runtime differ in the last bits. */
const AGREEMENT = 0.999

/**
 * How much faster a family is than fastembed for Python in its usual setting or in its best one; 0 for outputs that differ from
 * its, for a wrong row is no row.
 */
function overPython({ families }, id, which) {
  const rows = families.find((family) => family.id === id)?.rivals ?? []
  if (rows.length === 0) return undefined
  if (rows.some(({ agrees }) => agrees !== undefined && !(agrees >= AGREEMENT))) return 0
  return which === 'usual'
    ? rows.find(({ usual }) => usual)?.ratio
    : Math.min(...rows.map(({ ratio }) => ratio))
}

const familyFigure = (id, name, least, which) => ({
  name: `${name}: faster than fastembed for Python, ${which === 'usual' ? 'default' : 'best'}`,
  from: 'families',
  least,
  unit: '×',
  read: (results) => overPython(results, id, which),
})

/** The worst of all families that were measured. */
const worst = (name, most, unit, digits, of) => ({
  name: `families, the worst: ${name}`,
  from: 'families',
  most,
  unit,
  digits,
  read({ families }) {
    const values = families
      .filter(({ resources }) => resources !== undefined)
      .map(({ resources }) => of(resources))
    return values.length === 0 ? undefined : Math.max(...values)
  },
})

const IMAGES = [
  'jpeg-640x480',
  'jpeg-1600x1200',
  'jpeg-4000x3000',
  'progressive-1600x1200',
  'png-640x480',
  'png-1600x1200',
  'webp-640x480',
  'mixed',
]

const LENGTHS = ['uniform', 'bimodal', 'heavy-tail', 'short']

/** @type {{ name: string, from: 'rivals' | 'endToEnd' | 'node' | 'families' | 'images', least?: number, most?: number, unit: string, digits?: number, read: (results: any) => number | undefined }[]} */
export const FIGURES = [
  rivalFigure('faster than fastembed for Python, default', 5.5, 'python', 'usual'),
  rivalFigure('faster than fastembed for Python, best batch', 1.3, 'python', 'best'),
  rivalFigure('faster than transformers.js, batch 32', 4, 'transformers', 'usual'),
  rivalFigure('faster than transformers.js, best batch', 1.4, 'transformers', 'best'),
  rivalFigure('faster than fastembed for npm, best batch', 1.4, 'npm', 'best'),
  rivalFigure('faster than fastembed for Rust, best batch', 1.3, 'rust', 'best'),
  {
    name: 'largest difference of a value to bare ONNX Runtime',
    from: 'rivals',
    most: 1e-5,
    unit: '',
    digits: 7,
    read: (rivals) => rivals.rows.find((row) => row.id === 'millrace')?.maxDifference,
  },
  {
    name: 'dynamic int8 beside fp32',
    from: 'rivals',
    least: 2,
    unit: '×',
    read(rivals) {
      const row = rivals.rows.find(({ id }) => id === 'millrace-int8')
      return row === undefined ? undefined : 1 / row.millraceRatio
    },
  },
  ...['w8', 'fp32'].flatMap((model) =>
    LENGTHS.map((lengths) => ({
      name: `${model}, ${lengths}: beside the best bare sessions`,
      from: 'endToEnd',
      least: 0.95,
      unit: '×',
      read: (results) => beside(results, model, lengths),
    })),
  ),
  ...LENGTHS.map((lengths) => ({
    name: `int8, ${lengths}: beside bare runs one by one`,
    from: 'endToEnd',
    least: 0.95,
    unit: '×',
    read: (results) => besideAlone(results, 'int8', lengths),
  })),
  ...['heavy-tail', 'short'].map((lengths) => ({
    name: `padding of a stream, ${lengths}`,
    from: 'endToEnd',
    most: 3,
    unit: ' %',
    read(results) {
      const row = (results.padding ?? []).find((candidate) => candidate.lengths === lengths)
      return row === undefined ? undefined : row.padding * 100
    },
  })),
  ...['w8', 'fp32', 'int8'].map((model) => ({
    name: `${model}: query p50 beside bare run and tokenising`,
    from: 'endToEnd',
    most: 1.2,
    unit: '×',
    read: (results) => (results.latency ?? []).find((row) => row.model === model)?.ratio,
  })),
  ...IMAGES.map((kind) => ({
    name: `images, ${kind}: faster than fastembed for Python`,
    from: 'images',
    least: 3,
    unit: '×',
    read: ({ images }) => images.find((row) => row.kind === kind)?.ratio,
  })),
  {
    name: 'query p50 in Node beside onnxruntime-node and tokenising',
    from: 'node',
    most: 1.2,
    unit: '×',
    read: ({ query }) => query.p50 / query.bareP50,
  },
  {
    name: 'event loop delay, p99',
    from: 'node',
    most: 10,
    unit: ' ms',
    read: ({ eventLoop }) => eventLoop.p99Ms,
  },
  {
    name: 'event loop delay, worst',
    from: 'node',
    most: 50,
    unit: ' ms',
    read: ({ eventLoop }) => eventLoop.worstMs,
  },
  ...[
    ['memory', 100_000],
    ['disk', 30_000],
  ].flatMap(([where, least]) => [
    {
      name: `rows from a cache in ${where}, texts a second`,
      from: 'node',
      least,
      unit: '',
      digits: 0,
      read: ({ cache }) => cache?.[where].textsPerSecond,
    },
    {
      name: `event loop delay meanwhile, p99`,
      from: 'node',
      most: 10,
      unit: ' ms',
      read: ({ cache }) => cache?.[where].p99Ms,
    },
  ]),
  {
    name: 'documents to LanceDB: chunks a second beside plain embed',
    from: 'node',
    least: 0.9,
    unit: '×',
    read: ({ indexing }) => indexing?.share,
  },
  {
    name: 'documents to LanceDB: from a cache beside embedding them',
    from: 'node',
    least: 20,
    unit: '×',
    read: ({ indexing }) => indexing?.warmRatio,
  },
  {
    name: 'documents to LanceDB: event loop delay, p99',
    from: 'node',
    most: 10,
    unit: ' ms',
    read: ({ indexing }) => indexing && Math.max(indexing.p99Ms, indexing.warmP99Ms),
  },
  {
    name: 'peak memory of ten times the texts',
    from: 'node',
    most: 1.1,
    unit: '×',
    read: ({ memory: [few, many] }) => many.peak / few.peak,
  },
  {
    name: 'peak memory above the weights',
    from: 'node',
    most: 250,
    unit: ' MB',
    read: ({ memory }) => Math.max(...memory.map(({ peak, weights }) => peak - weights)) / 1e6,
  },
  {
    name: 'process start to first vector',
    from: 'node',
    most: 1000,
    unit: ' ms',
    read: ({ firstVectorMs }) => firstVectorMs,
  },
  familyFigure('bm25', 'BM25', 20, 'usual'),
  familyFigure('bm25', 'BM25', 20, 'best'),
  ...[
    ['splade', 'SPLADE++'],
    ['colbert', 'ColBERT'],
    ['rerank', 'cross encoder'],
  ].flatMap(([id, name]) => [familyFigure(id, name, 3, 'usual'), familyFigure(id, name, 1.3, 'best')]),
  // Images have no lengths that could be mixed: there is nothing that a default batch could waste.
  familyFigure('image-16', 'images, patch 16', 1.3, 'best'),
  familyFigure('image-32', 'images, patch 32', 1.3, 'best'),
  worst('peak memory of ten times the inputs', 1.1, '×', 2, ([few, many]) => many.peak / few.peak),
  worst(
    'peak memory above the weights',
    250,
    ' MB',
    0,
    (both) => Math.max(...both.map(({ peak, weights }) => peak - weights)) / 1e6,
  ),
  worst('event loop delay, p99', 10, ' ms', 1, (both) => Math.max(...both.map(({ p99Ms }) => p99Ms))),
  worst('event loop delay', 50, ' ms', 1, (both) => Math.max(...both.map(({ worstMs }) => worstMs))),
]
