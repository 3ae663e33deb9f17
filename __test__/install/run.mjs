/**
 * Installs the packed tarballs into an empty project, install scripts off, and uses them there as users do: ES module,
 * CommonJS, TypeScript, command line, on several versions of Node. Then looks at the packages themselves: their
 * manifests, their size, what the binaries ask of the system. Prints one line a check and closes with the sum.
 *
 *   node __test__/install/run.mjs      packs first; needs the npm registry for commander, cli-progress and Node itself
 */
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NODE_VERSIONS, nodeBinary } from '../../scripts/lib/nodes.mjs'
import { hostPlatform, packageName } from '../../scripts/lib/platforms.mjs'
import { npm, ROOT, run, SetupError, script } from '../../scripts/lib/run.mjs'
import { Checks } from './checks.mjs'
import { checkBinaries, checkManifests, checkSize } from './packages.mjs'

const platform = hostPlatform()
const CONSUMER = join(ROOT, '__test__', 'install', 'consumer')
/** Small models for the classes that need one; a user would download theirs. */
const MODELS = ['splade', 'colbert', 'clip_vision', 'colmodernvbert', 'rr_bert']
/** Stores and frameworks that are used beside the package; libsql is for the Nodes that have no SQLite. */
const PACKAGES = [
  '@ai-sdk/provider',
  '@lancedb/lancedb',
  '@langchain/core',
  'apache-arrow',
  'hyparquet-writer',
  'libsql',
  'sqlite-vec',
]
const OPTIONS = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']

function packAll() {
  if (run([process.execPath, join(ROOT, 'scripts', 'pack-all.mjs')]) !== 0) {
    throw new SetupError('packing failed')
  }
  const out = join(ROOT, '.millrace', 'packages')
  return JSON.parse(readFileSync(join(out, 'packages.json'), 'utf8')).map((name) => join(out, name))
}

/** An empty project with the packages installed from their tarballs, and nothing of this repository in reach. */
function makeProject(tarballs) {
  const project = mkdtempSync(join(tmpdir(), 'millrace-install-'))
  const packages = tarballs.filter(
    (file) => !/-(linux|darwin|win32)-/.test(file) || file.includes(platform.id),
  )
  writeFileSync(join(project, 'package.json'), '{ "name": "consumer", "private": true, "type": "module" }\n')
  cpSync(CONSUMER, project, { recursive: true })
  for (const name of MODELS) {
    const model = join(ROOT, '__test__', 'fixtures', 'goldens', 'models', name)
    cpSync(model, join(project, 'models', name), { recursive: true })
  }
  if (run(npm('install', ...OPTIONS, ...packages, '@types/node@20'), { cwd: project }) !== 0) {
    throw new SetupError('npm install of the tarballs failed')
  }
  return project
}

async function checkCompile(checks, project) {
  const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc')
  const strict = ['--strict', '--target', 'es2022', '--types', 'node', '--skipLibCheck', 'false']
  const files = ['use.mts', 'use.cts']
  await checks.command(
    'types: node16',
    [process.execPath, tsc, ...strict, '--module', 'node16', '--outDir', 'built', ...files],
    project,
  )
  const bundler = ['--module', 'preserve', '--moduleResolution', 'bundler', '--noEmit']
  await checks.command('types: bundler', [process.execPath, tsc, ...strict, ...bundler, ...files], project)
}

async function checkNode(checks, project, version) {
  const node = nodeBinary(version)
  const uses = {
    'ES module': 'use.mjs',
    CommonJS: 'use.cjs',
    'compiled ES module': 'built/use.mjs',
    'compiled CommonJS': 'built/use.cjs',
  }
  for (const [what, file] of Object.entries(uses)) {
    await checks.command(`Node ${version}: ${what}`, [node, file], project)
  }
  const cli = join(
    'node_modules',
    'millrace',
    JSON.parse(readFileSync(join(project, 'node_modules/millrace/package.json'), 'utf8')).bin.millrace,
  )
  await checks.command(`Node ${version}: command line`, [node, cli, '--version'], project)
}

/** Optional packages, added as a user adds them: the subpaths, a few stores, their types. */
async function checkPackages(checks, project) {
  const { devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  const wanted = PACKAGES.map((name) => `${name}@${devDependencies[name]}`)
  if (run(npm('install', ...OPTIONS, ...wanted), { cwd: project }) !== 0)
    throw new SetupError('npm install of the optional packages failed')
  const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc')
  // The frameworks' own declarations are theirs to check.
  const types = [
    '--strict',
    '--target',
    'es2022',
    '--lib',
    'es2022,esnext.disposable,dom',
    '--types',
    'node',
    '--skipLibCheck',
    '--noEmit',
  ]
  await checks.command(
    'types: subpaths, node16',
    [process.execPath, tsc, ...types, '--module', 'node16', 'packages.mts'],
    project,
  )
  for (const version of NODE_VERSIONS) {
    const node = nodeBinary(version)
    await checks.command(`Node ${version}: stores and frameworks, ES module`, [node, 'packages.mjs'], project)
    await checks.command(`Node ${version}: stores and frameworks, CommonJS`, [node, 'packages.cjs'], project)
  }
}

/** Without its platform package, millrace says which package is missing instead of failing somewhere deep. */
async function checkMissingPackage(checks, project) {
  rmSync(join(project, 'node_modules', ...packageName(platform).split('/')), { recursive: true })
  const source = `import('millrace').then(({ TextEmbedding }) => TextEmbedding.create()).then(
    () => { throw new Error('no error') },
    (error) => {
      if (error.code !== 'RUNTIME_NOT_FOUND' || !error.message.includes('${packageName(platform)}')) throw error
    })`
  await checks.command(
    'a missing platform package is one clear error',
    [process.execPath, '-e', source],
    project,
  )
}

await script('test-install', async () => {
  const checks = new Checks()
  const tarballs = packAll()
  const project = makeProject(tarballs)
  try {
    await checks.that('no installed package has an install script', () => {
      const lock = JSON.parse(readFileSync(join(project, 'package-lock.json'), 'utf8'))
      return Object.entries(lock.packages)
        .filter(([, entry]) => entry.hasInstallScript)
        .map(([path]) => path)
    })
    await checks.that('only the packages that are needed are installed', () => {
      const { dependencies, peerDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
      const there = (name) => existsSync(join(project, 'node_modules', ...name.split('/')))
      return [
        ...Object.keys(dependencies)
          .filter((name) => !there(name))
          .map((name) => `${name} is not installed`),
        ...Object.keys(peerDependencies).filter(there),
      ]
    })
    await checkSize(checks, project)
    await checkBinaries(checks, join(project, 'node_modules', ...packageName(platform).split('/')), platform)
    await checkCompile(checks, project)
    for (const version of NODE_VERSIONS) await checkNode(checks, project, version)
    await checkManifests(checks, tarballs)
    await checkPackages(checks, project)
    await checkMissingPackage(checks, project)
  } finally {
    if (existsSync(project)) rmSync(project, { recursive: true, force: true })
  }
  checks.close()
})
