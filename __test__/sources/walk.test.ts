/** Folders: what cannot be looked at is told and is never taken for gone; links that lead round are not followed for ever. */
import { execFile } from 'node:child_process'
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it, onTestFinished } from 'vitest'
import { folderSource } from '../../index.js'
import { records } from '../cli/cli.js'
import { ROOT } from '../support/paths.js'
import { all, fresh } from './support.js'

const ids = async (...args: Parameters<typeof folderSource>) =>
  (await all(folderSource(...args))).map(({ id }) => id)

/** What a source gives of a folder to a user who is not root: root may look at everything, whatever the mode of a folder says. */
async function readAsUser(root: string): Promise<object[]> {
  const program = `
    import { folderSource } from ${JSON.stringify(pathToFileURL(join(ROOT, 'dist/esm/index.js')).href)}
    for await (const { id, text, error } of folderSource(${JSON.stringify(root)}))
      console.log(JSON.stringify({ id, text, code: error?.code, message: error?.message }))`
  const node = [process.execPath, '--input-type=module', '-e', program]
  const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']
  const [command = '', ...args] = process.getuid?.() === 0 ? [...nobody, ...node] : node
  const { stdout } = await promisify(execFile)(command, args)
  return records(stdout)
}

describe.skipIf(process.platform === 'win32')('a folder without permission', () => {
  async function tree(mode: number): Promise<string> {
    const root = await fresh()
    const locked = join(root, 'sub')
    await mkdir(locked)
    await writeFile(join(root, 'a.txt'), 'A')
    await writeFile(join(locked, 'b.txt'), 'B')
    await writeFile(join(root, 'z.txt'), 'Z')
    // The folder of all tests is their user's alone.
    for (const above of [root, dirname(root)]) await chmod(above, 0o755)
    await chmod(locked, mode)
    onTestFinished(() => chmod(locked, 0o755))
    return root
  }

  // abraunegg/onedrive#2755, samschott/maestral#473: files that cannot be looked at are taken for deleted.
  it('tells each file that it lists and does not let us look at', async () => {
    expect(await readAsUser(await tree(0o644))).toMatchObject([
      { id: 'a.txt', text: 'A' },
      { id: 'sub/b.txt', code: 'INPUT_INVALID', message: expect.stringContaining('EACCES') },
      { id: 'z.txt', text: 'Z' },
    ])
  })

  // run-llama/llama_index#14304: one unreadable folder ends everything.
  it('is told as a whole where it cannot be listed, and the rest goes on', async () => {
    expect(await readAsUser(await tree(0o000))).toMatchObject([
      { id: 'a.txt', text: 'A' },
      { id: 'sub/', code: 'INPUT_INVALID', message: expect.stringContaining('EACCES') },
      { id: 'z.txt', text: 'Z' },
    ])
  })
})

// oracle/opengrok#233, dlt-hub/dlt#4273: link cycles.
it('does not follow a link to a folder that it is in', async () => {
  const root = await fresh()
  await mkdir(join(root, 'a'))
  await mkdir(join(root, 'b'))
  await writeFile(join(root, 'a', 'one.txt'), 'one')
  await symlink('..', join(root, 'a', 'up'))
  await symlink('..', join(root, 'b', 'up'))
  await symlink('../a', join(root, 'b', 'aside'))
  await symlink('nowhere', join(root, 'dangling.txt'))
  await symlink('itself.txt', join(root, 'itself.txt'))
  expect(await ids(root, { followLinks: true })).toEqual(['a/one.txt', 'b/aside/one.txt'])
  expect(await ids(root)).toEqual(['a/one.txt'])
})

it.skipIf(process.platform !== 'linux')(
  'reads files whose names are no UTF-8, each under a name of its own',
  async () => {
    const root = await fresh()
    const name = (byte: number) =>
      Buffer.concat([Buffer.from(`${root}/r`), Buffer.of(byte), Buffer.from('sum\u00e9.txt')])
    await writeFile(name(0xe9), 'one')
    await writeFile(name(0xe8), 'two')
    expect(await all(folderSource(root, { prefix: 'cv/' }))).toMatchObject([
      { id: 'cv/r\\xe8sumé.txt', text: 'two', metadata: { path: 'cv/r\\xe8sumé.txt' } },
      { id: 'cv/r\\xe9sumé.txt', text: 'one' },
    ])
  },
)
