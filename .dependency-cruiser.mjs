/**
 * Which room of src/ may know which: the arrows of ARCHITECTURE.md as rules. `__test__/architecture.test.ts` runs them
 * over every import, type-only ones included, and proves on examples that a turned arrow is found.
 */

/** Optional packages are found when they are used; the folder that finds them, and the errors and predicates, know nothing. */
const BOTTOM = ['base', 'peers']
const TOOLS = [...BOTTOM, 'binding', 'formats', 'options']
const PARTS = [...TOOLS, 'models', 'store']
const ENGINE = [...PARTS, 'batches', 'cache', 'loading', 'metrics', 'quantize', 'stream', 'text']

/** For each room, the rooms it may know besides itself. A room that is not listed is a mistake of its own. */
export const ROOMS = {
  base: [],
  peers: ['base'],
  binding: BOTTOM,
  formats: [...BOTTOM, 'binding'],
  options: [...BOTTOM, 'binding', 'formats'],
  store: TOOLS,
  models: [...TOOLS, 'store'],
  // Within one layer arrows go one way too: a stream knows how a model is loaded, what loads a model knows the cache and
  // the spans of tracing, and what quantises vectors knows the batches they come in.
  metrics: PARTS,
  batches: PARTS,
  text: PARTS,
  cache: PARTS,
  quantize: [...PARTS, 'batches'],
  loading: [...PARTS, 'cache', 'metrics'],
  stream: [...PARTS, 'batches', 'loading', 'metrics'],
  families: ENGINE,
  pipeline: [...ENGINE, 'families'],
  adapters: [...ENGINE, 'families', 'pipeline'],
  nodes: [...ENGINE, 'families', 'pipeline'],
  jobs: [...ENGINE, 'families', 'pipeline'],
  cli: [...ENGINE, 'families', 'pipeline', 'adapters', 'nodes', 'jobs'],
}

/** Programs on the public face, which users could have written. */
const ON_THE_FACE = ['adapters', 'cli', 'jobs', 'nodes']

/** What pipeline/ asks of a source and of a sink. A source or sink knows these files and no other of pipeline/. */
const CONTRACTS = ['document', 'metadata', 'record', 'refusal', 'sink']

const within = (rooms) => `^src/(${rooms.join('|')})/`

const arrows = Object.entries(ROOMS).map(([room, known]) => ({
  name: `room-${room}`,
  severity: 'error',
  from: { path: `^src/${room}/` },
  to: { path: '^src/', pathNot: within([room, ...known]) },
}))

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    ...arrows,
    {
      name: 'no-unlisted-room',
      comment: 'Every file of src/ is in a room, and every room is in the table.',
      severity: 'error',
      from: { path: '^src/', pathNot: within(Object.keys(ROOMS)) },
      to: {},
    },
    {
      name: 'face-is-the-top',
      severity: 'error',
      from: { path: '^src/', pathNot: within(ON_THE_FACE) },
      to: { path: '^index\\.ts$' },
    },
    {
      name: 'pipeline-knows-no-sink-and-no-source',
      comment: 'Sinks and sources are given to a pipeline; it knows only what it asks of them.',
      severity: 'error',
      from: { path: '^src/pipeline/', pathNot: '^src/pipeline/(sinks|sources)/' },
      to: { path: '^src/pipeline/(sinks|sources)/' },
    },
    {
      name: 'sinks-and-sources-know-the-contract',
      severity: 'error',
      from: { path: '^src/pipeline/(sinks|sources)/' },
      to: {
        path: '^src/pipeline/',
        pathNot: `^src/pipeline/(sinks/|sources/|(${CONTRACTS.join('|')})\\.ts$)`,
      },
    },
    {
      name: 'a-family-knows-no-other',
      comment: 'What two families share is a file of its own.',
      severity: 'error',
      from: { path: '^src/families/([^/]+-embedding|text-cross-encoder)\\.ts$' },
      to: { path: '^src/families/([^/]+-embedding|text-cross-encoder)\\.ts$', pathNot: '$1' },
    },
    {
      name: 'no-circle',
      comment: 'A circle of values makes what a module sees depend on which file was loaded first.',
      severity: 'error',
      from: { path: '^(src/|index\\.ts)' },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'addon-in-binding-only',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/binding/' },
      to: { path: '\\.node$|^@millrace/(linux|darwin|win32)-|/@millrace/(linux|darwin|win32)-' },
    },
    {
      name: 'frameworks-in-adapters-only',
      comment:
        'All other rooms take optional packages through src/peers, or the package would not load without them.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/adapters/' },
      to: {
        path: '(^|node_modules/)(@langchain|@ai-sdk|@llamaindex|@lancedb|chromadb|pg|@qdrant|apache-arrow|hyparquet|csv-parse|@opentelemetry)/',
      },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^src/binding/generated\\.d\\.ts$' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'types'],
    },
  },
}
