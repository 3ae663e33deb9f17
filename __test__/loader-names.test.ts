/** File tracers (@vercel/nft, Next.js) deploy what is named literally: every file of the model and every library must be. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { PLATFORMS } from '../scripts/lib/platforms.mjs'
import { ROOT } from './support/paths.js'

const source = readFileSync(join(ROOT, 'src', 'binding', 'native-require.cts'), 'utf8')
const named = [...source.matchAll(/require\.resolve\('([^']+)'\)/g)].map(([, name]) => name)

it('names every file of the bundled model', () => {
  const model = join(ROOT, 'models', 'all-minilm-l6-v2')
  const files = readdirSync(model, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.(json|onnx)$/.test(name),
  )
  const wanted = files
    .filter((name) => !name.startsWith('how'))
    .map((name) => `@millrace/all-minilm-l6-v2/${name.replaceAll('\\', '/')}`)
  expect(wanted.length).toBeGreaterThan(5)
  expect(named).toEqual(expect.arrayContaining(wanted))
})

it('names the addon and the library of every platform', () => {
  for (const { id, runtime } of PLATFORMS) {
    expect(named).toEqual(expect.arrayContaining([`@millrace/${id}`, `@millrace/${id}/${runtime}`]))
  }
})

// webpack/webpack#7552: a name that is not installed is an error for a bundler, unless it stands in a `try` of its own.
it('names each platform in a try of its own', () => {
  const blocks = [...source.matchAll(/try \{(.*?)\} catch/gs)].map(([, body]) => body ?? '')
  for (const { id } of PLATFORMS) {
    const own = blocks.filter((body) => body.includes(`'@millrace/${id}'`))
    expect(own).toHaveLength(1)
    expect(PLATFORMS.filter((other) => own[0]?.includes(`'@millrace/${other.id}'`))).toHaveLength(1)
  }
})
