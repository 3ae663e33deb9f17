/** Heads of Markdown files and titles: what is front matter, what is text that must not be lost, and what a page is called. */
import { describe, expect, it } from 'vitest'
import { type PipelineDocument, textSource } from '../../index.js'
import { all, file } from './support.js'

async function read(content: string, name = 'a.md'): Promise<PipelineDocument> {
  const [document] = await all(textSource(await file(name, content), { by: 'file' }))
  return document as PipelineDocument
}

const without = ({ path: _path, ...facts }: Readonly<Record<string, unknown>> = {}) => facts

describe('front matter', () => {
  // yuin/goldmark-meta#5, kevboh/longform#265: a rule, text, a rule.
  it.each([
    '---\n\nThe shutdown code is 4711 and must never be lost.\n\n---\n\nOrdinary text.\n',
    '---\nThe shutdown code is 4711.\n---\nOrdinary text.\n',
    '---\n- a list\n- between rules\n---\nOrdinary text.\n',
    '---\nFirst: a sentence with a colon.\nAnd another without one.\n---\nOrdinary text.\n',
    '---\nnever closed: true\n\nOrdinary text.\n',
    '+++\nnot TOML at all\n+++\nOrdinary text.\n',
    '---\ntitle: one: two\ntitle: three\n---\nOrdinary text.\n',
  ])('is not what stands between two rules and is no mapping: %j', async (content) => {
    const { text, metadata } = await read(content)
    expect(text).toBe(content)
    expect(Object.keys(without(metadata))).toEqual(['title'])
  })

  it('is YAML with lists, nested values, comments, and integers as they are', async () => {
    const { text, metadata } = await read(
      '---\ntitle: "Mills" # of old\ntags: [water, wind]\nauthors:\n  - name: Ann\n    age: 30\nid: 12345678901234567890\nempty:\n---\n# Heading\n',
    )
    expect(text).toBe('# Heading\n')
    expect(without(metadata)).toEqual({
      title: 'Mills',
      tags: ['water', 'wind'],
      authors: [{ name: 'Ann', age: 30 }],
      id: '12345678901234567890',
      empty: null,
    })
  })

  it('is kept entry by entry where one of them is almost YAML', async () => {
    const { text, metadata } = await read('---\ntitle: Mills: a history\ntags: [a, b]\n---\ntext\n')
    expect(text).toBe('text\n')
    expect(without(metadata)).toEqual({ title: 'Mills: a history', tags: ['a', 'b'] })
    const commented = await read('---\ntitle: Mills: a history\n# a comment\ntags: [a, b]\n---\ntext\n')
    expect(without(commented.metadata)).toEqual({ title: 'Mills: a history', tags: ['a', 'b'] })
  })

  it('is TOML between lines of +++', async () => {
    const { text, metadata } = await read(
      '+++\ntitle = "Mills"\ndate = 2020-01-02\nweights = [1, 2]\n[extra]\nbig = 9007199254740993\n+++\ntext\n',
    )
    expect(text).toBe('text\n')
    expect(without(metadata)).toEqual({
      title: 'Mills',
      date: '2020-01-02',
      weights: [1, 2],
      extra: { big: '9007199254740993' },
    })
  })

  it('may be empty', async () => {
    const { text } = await read('---\n---\ntext\n\n---\n\nmore\n')
    expect(text).toBe('text\n\n---\n\nmore\n')
  })
})

describe('a title', () => {
  it.each([
    ['```sh\n# install it\n```\n\n# Manual\n', 'Manual'],
    ['~~~~\n# no\n~~~\n# no\n~~~~\n## Guide *to* `x` ##\n', 'Guide to x'],
    ['Manual\n======\n\n```sh\n# install it\n```\n', 'Manual'],
    ['A title\nof two lines\n---\n\n# Later\n', 'A title of two lines'],
    ['<!--\n# no\n-->\n    # code\n\n> # quoted\n\n- item\n---\n\n# Yes\n', 'Yes'],
    ['#hashtag\n\n#\n\n# C# #\n', 'C#'],
    ['no heading\n', 'a.md'],
  ])('of Markdown is its first heading: %j', async (content, title) => {
    expect((await read(content)).metadata?.['title']).toBe(title)
  })

  it.each([
    ['<title>Caf&eacute; &#8211; menu\n today</title><h1>x</h1>', 'Café – menu today'],
    ['<svg><title>icon</title></svg><h1>The <b>page</b></h1>', 'The page'],
    ['<p>none</p>', 'a.html'],
  ])('of HTML is its <title>, else its first <h1>: %j', async (content, title) => {
    expect((await read(content, 'a.html')).metadata?.['title']).toBe(title)
  })
})
