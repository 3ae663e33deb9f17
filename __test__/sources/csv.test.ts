/** CSV and TSV: a fault of a row is that row's alone, and nothing of a file is lost without a word. */
import { expect, it } from 'vitest'
import { csvSource } from '../../index.js'
import { all, file } from './support.js'

// ckan/ckanext-xloader#51: ragged rows.
it('tells rows with too many or too few fields, and goes on', async () => {
  const path = await file('a.csv', 'id,text,note\n1,one,a\n2,two\n3,three,c\n4,four,d,e\n')
  expect(await all(csvSource(path, { metadata: true }))).toMatchObject([
    { id: '1', text: 'one', metadata: { note: 'a' } },
    {
      id: `${path}:3`,
      error: { code: 'INPUT_INVALID', message: `${path}:3: the row has 2 fields and the header has 3` },
    },
    { id: '3', text: 'three' },
    { id: `${path}:5`, error: { code: 'INPUT_INVALID', message: expect.stringContaining('4 fields') } },
  ])
})

it('tells a quotation mark inside a field of CSV, which is a character as others are in TSV', async () => {
  const path = await file('a.csv', 'id,text\n1,a 5" pipe\n2,fine\n3,"a" b\n4,fine too\n')
  const documents = await all(csvSource(path))
  expect(documents).toMatchObject([
    { id: `${path}:2`, error: { code: 'INPUT_INVALID', message: expect.stringContaining('quotation mark') } },
    { id: '2', text: 'fine' },
    { id: `${path}:4`, error: { code: 'INPUT_INVALID' } },
    { id: '4', text: 'fine too' },
  ])
  expect(await all(csvSource(path, { quotes: 'none' }))).toMatchObject([
    { text: 'a 5" pipe' },
    { text: 'fine' },
    { text: '"a" b' },
    { text: 'fine too' },
  ])
  const tsv = await file('a.tsv', 'id\ttext\n1\ta 5" pipe\n2\t"fine\n')
  expect(await all(csvSource(tsv))).toMatchObject([{ text: 'a 5" pipe' }, { text: '"fine' }])
})

it('tells a quotation mark that is never closed', async () => {
  const path = await file('a.csv', 'id,text\n1,fine\n2,"open\n3,lost\n')
  const documents = await all(csvSource(path))
  expect(documents).toMatchObject([
    { text: 'fine' },
    { id: `${path}:3`, error: { code: 'INPUT_INVALID', message: expect.stringContaining('not closed') } },
  ])
})

it('refuses a header that names a column twice, and names columns without a name by their number', async () => {
  const twice = await file('a.csv', 'id,text,text\n1,first body,second body\n')
  const other = await file('b.csv', 'id,text,,\n1,one,x,\n')
  expect(await all(csvSource([twice, other], { metadata: true }))).toMatchObject([
    { id: twice, error: { code: 'INPUT_INVALID', message: expect.stringContaining("'text' twice") } },
    { id: '1', text: 'one', metadata: { 3: 'x', 4: '' } },
  ])
})

it('refuses a column that is not there, which would be null everywhere', async () => {
  const path = await file('a.csv', 'id,text,year\n1,one,2020\n')
  const [misspelt] = await all(csvSource(path, { metadata: ['yaer'] }))
  expect(misspelt).toMatchObject({
    id: path,
    error: { code: 'INPUT_INVALID', message: expect.stringContaining("did you mean 'year'?") },
  })
  expect(await all(csvSource(path, { id: 'nummer' }))).toMatchObject([
    { id: path, error: { code: 'INPUT_INVALID' } },
  ])
  expect(await all(csvSource(path, { text: 'body' }))).toMatchObject([
    { id: path, error: { code: 'INPUT_INVALID' } },
  ])
})

it('reads files without a header, by the numbers of their columns', async () => {
  const path = await file('a.csv', '7,first\n8,second\n9\n')
  expect(await all(csvSource(path, { header: false, id: '1', text: '2' }))).toMatchObject([
    { id: '7', text: 'first' },
    { id: '8', text: 'second' },
    { error: { code: 'INPUT_INVALID', message: expect.stringContaining('the first row has 2') } },
  ])
  expect(() => csvSource(path, { header: false })).toThrow(/text with header: false/)
})

it('names records without an id by the line they begin at, and reads delimiters of several bytes', async () => {
  const path = await file('a.csv', 'id§text\n§"one\ntwo"\n\n§three\n')
  expect(await all(csvSource(path, { delimiter: '§' }))).toMatchObject([
    { id: `${path}:2`, text: 'one\ntwo' },
    { id: `${path}:5`, text: 'three' },
  ])
})
