/** Which prompt a role gets, and the warning about cut texts. */
import { describe, expect, it } from 'vitest'
import { choosePrompt, type Role } from '../src/families/prompts.js'
import { warnOnceIfTruncated } from '../src/stream/truncation-warning.js'

describe('prompts', () => {
  const info = { prompts: { query: 'Q: ', document: 'D: ', title: 'T: ' }, defaultPromptName: 'title' }
  const roles: Role[] = ['text', 'query', 'passage']
  const all = (
    prompts: Parameters<typeof choosePrompt>[0],
    of: Parameters<typeof choosePrompt>[2] = info,
    registered?: Parameters<typeof choosePrompt>[3],
  ) => roles.map((role) => choosePrompt(prompts, role, of, registered))

  it('are none by default', () => {
    expect(all(undefined)).toEqual([undefined, undefined, undefined])
    expect(all('none')).toEqual([undefined, undefined, undefined])
  })

  it('are those of the directory with auto, its default where a role has none', () => {
    expect(all('auto')).toEqual(['T: ', 'Q: ', 'D: '])
    expect(all('auto', { prompts: { passage: 'P: ' } })).toEqual([undefined, undefined, 'P: '])
    expect(all('auto', { prompts: {}, defaultPromptName: 'toString' })).toEqual([
      undefined,
      undefined,
      undefined,
    ])
  })

  it('are those of the registry with auto, rather than the directory’s', () => {
    expect(all('auto', info, { query: 'R: ' })).toEqual(['T: ', 'R: ', undefined])
    expect(all('auto', { prompts: {} }, { query: 'R: ', passage: 'S: ' })).toEqual([undefined, 'R: ', 'S: '])
    expect(all('none', info, { query: 'R: ' })).toEqual([undefined, undefined, undefined])
  })

  it('are those that were given', () => {
    expect(all({ query: 'q' })).toEqual([undefined, 'q', undefined])
    expect(all({ query: 'q' }, info, { query: 'R: ', passage: 'S: ' })).toEqual([undefined, 'q', undefined])
  })
})

it('warns once a process when texts were cut', async () => {
  const codes: unknown[] = []
  const listen = (warning: Error & { code?: string }) => codes.push(warning.code)
  process.on('warning', listen)
  warnOnceIfTruncated(Uint8Array.of(0, 0))
  await new Promise((resolve) => setImmediate(resolve))
  expect(codes).toEqual([])
  warnOnceIfTruncated(Uint8Array.of(0, 1))
  warnOnceIfTruncated(Uint8Array.of(1))
  await new Promise((resolve) => setImmediate(resolve))
  process.off('warning', listen)
  expect(codes).toEqual(['MILLRACE_TRUNCATED'])
})
