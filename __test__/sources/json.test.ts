/** JSON without loss: integers that a number cannot hold. */
import { once } from 'node:events'
import { expect, it } from 'vitest'
import { jsonlSource } from '../../index.js'
import { parseJson, toJsonText } from '../../src/pipeline/sources/json.js'
import { all, file } from './support.js'

// oceanbase/powercontext#91: 64-bit ids become other ids.
it('keeps ids and metadata beyond 2^53 digit by digit', async () => {
  const path = await file(
    'a.jsonl',
    '{"id":1234567890123456789,"text":"one","ref":9007199254740993,"deep":[{"n":-9223372036854775808}]}\n' +
      '{"id":1234567890123456790,"text":"two 1234567890123456789 \\" 12345678901234567890"}\n' +
      '{"id":9007199254740991,"text":"three","ref":1e300}\n',
  )
  expect(await all(jsonlSource(path, { metadata: true }))).toEqual([
    {
      id: '1234567890123456789',
      text: 'one',
      metadata: { ref: '9007199254740993', deep: [{ n: '-9223372036854775808' }] },
    },
    { id: '1234567890123456790', text: 'two 1234567890123456789 " 12345678901234567890', metadata: {} },
    { id: '9007199254740991', text: 'three', metadata: { ref: 1e300 } },
  ])
})

it('refuses numbers that nothing can hold', async () => {
  const path = await file('a.jsonl', '{"id":"a","text":"one","x":1e999}\n{"id":"b","text":"two"}\n')
  expect(await all(jsonlSource(path))).toMatchObject([
    { error: { code: 'INPUT_INVALID', message: expect.stringContaining('1e999') } },
    { id: 'b' },
  ])
})

it('reads strings of any length beside large integers', () => {
  const text = `${'a'.repeat(14_000_000)}\\n`
  const parsed = parseJson(`{"id":12345678901234567890,"text":"${text}"}`) as { id: bigint; text: string }
  expect(parsed.id).toBe(12345678901234567890n)
  expect(parsed.text).toHaveLength(14_000_001)
})

it('writes large integers as they were read', () => {
  const text = '{"a":12345678901234567890,"b":["-98765432109876543210",-98765432109876543210],"c":1.5}'
  expect(toJsonText(parseJson(text))).toBe(text)
  expect(parseJson('[9007199254740993, 1]')).toEqual([9007199254740993n, 1])
})

it('warns of a field that no record has', async () => {
  const path = await file('a.jsonl', '{"text":"one","year":1}\n{"text":"two"}\n')
  const warned = once(process, 'warning')
  await all(jsonlSource(path, { metadata: ['yaer', 'year'] }))
  const [warning] = (await warned) as [Error & { code: string }]
  expect(warning).toMatchObject({ name: 'MillraceWarning', code: 'MILLRACE_FIELD_MISSING' })
  expect(warning.message).toBe(`No record of ${path} has the field 'yaer', did you mean 'year'?`)
})
