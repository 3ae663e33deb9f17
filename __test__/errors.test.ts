/** The error class and the sentences of refusals. */
import { describe, expect, it } from 'vitest'
import { MillraceError } from '../index.js'
import { fromNative, invalidOption, isNativeError, unwrap } from '../src/base/errors.js'
import { didYouMean, nearest } from '../src/base/suggest.js'

describe('MillraceError', () => {
  it('carries code, index and cause', () => {
    const cause = new Error('why')
    const error = new MillraceError('INPUT_INVALID', 'no', { index: 3, cause })
    expect(error).toBeInstanceOf(Error)
    expect([error.name, error.code, error.message, error.index, error.cause]).toEqual([
      'MillraceError',
      'INPUT_INVALID',
      'no',
      3,
      cause,
    ])
  })

  it('has no index and no cause unless given', () => {
    const error = new MillraceError('INTERNAL', 'no')
    expect(['index' in error, 'cause' in error]).toEqual([false, false])
  })
})

describe('native failures', () => {
  it('become errors', () => {
    const failure = { code: 'INPUT_TOO_LONG', message: 'long', index: 0 } as const
    expect(fromNative(failure)).toMatchObject(failure)
    expect(() => unwrap(failure)).toThrow(MillraceError)
  })

  it('are told from answers', () => {
    expect(isNativeError({ code: 'CLOSED', message: '' })).toBe(true)
    for (const answer of [null, undefined, 3, {}, { message: 'x' }, new Uint32Array(1)]) {
      expect(isNativeError(answer)).toBe(false)
      expect(unwrap(answer)).toBe(answer)
    }
  })
})

describe('the sentence of a refused option', () => {
  it.each([
    [-1, '-1 of type number'],
    ['x', "'x' of type string"],
    [null, 'null'],
    [undefined, 'undefined'],
    [[1, 2], '2 elements of type array'],
    [new Map(), 'Map of type object'],
    [Object.create(null), 'an object of type object'],
    [10n, '10 of type bigint'],
    [Symbol('s'), 'Symbol(s) of type symbol'],
    [() => 1, 'a function of type function'],
    ['y'.repeat(500), `'${'y'.repeat(60)}…' of type string`],
  ])('names %o', (value, shown) => {
    const error = invalidOption('threads', 'positive integer', value)
    expect(error.code).toBe('INVALID_OPTION')
    expect(error.message).toBe(`Expected positive integer for threads but received ${shown}`)
  })
})

describe('suggestions', () => {
  const names = ['batchSize', 'batching', 'threads', 'sentence-transformers/all-MiniLM-L6-v2']
  it.each([
    ['batch_size', ['batchSize']],
    ['batchsiez', ['batchSize']],
    ['thread', ['threads']],
    ['all-minilm-l6-v2', ['sentence-transformers/all-MiniLM-L6-v2']],
    ['zzz', []],
    ['x', []],
  ])('for %s', (name, expected) => {
    expect(nearest(name, names)).toEqual(expected)
  })

  it('are a question', () => {
    expect(didYouMean([])).toBe('')
    expect(didYouMean(['a', 'b'])).toBe(", did you mean 'a' or 'b'?")
  })
})
