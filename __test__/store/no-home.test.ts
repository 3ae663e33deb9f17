/** A user without a home directory (facebook/relay#2699 has the container): a place that is named is enough. */
import { expect, it } from 'vitest'
import { resolveInChild } from './support/child.js'
import { FILES, fixture, REPO } from './support/fixture.js'

const f = fixture()
const options = { repo: REPO, files: FILES }
const here = () => ({ ...options, endpoint: f.hub.url })

it.each([
  ['a token', { HF_TOKEN: 'hf_abc' }],
  ['no token', {}],
])('can download with cacheDir and %s', async (_, env) => {
  const { last } = await resolveInChild({ ...here(), cacheDir: f.cacheDir }, { preload: 'no-home.mjs', env })
  expect(last.files).toEqual(expect.arrayContaining(FILES.required))
})

it('is told what to set where nothing names a place', async () => {
  const { last } = await resolveInChild(here(), { preload: 'no-home.mjs' })
  expect(last).toMatchObject({ code: 'INVALID_OPTION', message: expect.stringContaining('HF_HOME') })
})
