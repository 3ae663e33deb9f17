/** What is true of the packages themselves: manifests and types, size, and what the binaries ask of the system. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { describeElf } from '../../scripts/lib/binary.mjs'
import { print } from '../../scripts/lib/print.mjs'
import { atLeast } from '../../scripts/lib/requirements.mjs'
import { ROOT } from '../../scripts/lib/run.mjs'

/**
 * Unpacked size of everything an installation brings, model included. Serverless platforms stop at 250 MB; ONNX
 * Runtime is 46 MB and the model 25 MB of it. The rest is room for the addon, not an invitation.
 */
const LARGEST_INSTALLATION = 110e6

/** The oldest glibc the README promises; ONNX Runtime's own library asks for the same. */
const OLDEST_GLIBC = '2.28'

/** Libraries every glibc system has. libstdc++ and libgcc_s are ONNX Runtime's and come with Node's images. */
const SYSTEM = /^(lib(c|m|dl|rt|pthread|gcc_s|stdc\+\+)\.so\.\d|ld-linux-[\w-]+\.so\.\d)/

function bytesUnder(path) {
  const stat = statSync(path)
  if (!stat.isDirectory()) return stat.size
  return readdirSync(path).reduce((sum, name) => sum + bytesUnder(join(path, name)), 0)
}

export async function checkSize(checks, project) {
  await checks.that('an installation stays small', () => {
    const bytes = ['millrace', '@millrace', 'commander', 'cli-progress', 'undici', 'yazl'].reduce(
      (sum, name) => sum + bytesUnder(join(project, 'node_modules', name)),
      0,
    )
    print(`installed: ${(bytes / 1e6).toFixed(1)} MB, limit ${LARGEST_INSTALLATION / 1e6} MB`)
    return bytes <= LARGEST_INSTALLATION ? [] : [`${bytes} bytes`]
  })
}

export async function checkBinaries(checks, directory, platform) {
  if (platform.os !== 'linux') return
  for (const file of [platform.addon, platform.runtime]) {
    const { needed, soname, glibc, bytes } = describeElf(join(directory, file))
    print(`${file}: ${(bytes / 1e6).toFixed(1)} MB, glibc ${glibc}, needs ${needed.join(' ')}`)
    await checks.that(`${file} needs system libraries only`, () =>
      needed.filter((name) => !SYSTEM.test(name)),
    )
    await checks.that(`${file} loads with glibc ${OLDEST_GLIBC}`, () =>
      atLeast(OLDEST_GLIBC, glibc) ? [] : [`it needs glibc ${glibc}`],
    )
    if (file === platform.runtime) {
      await checks.that(`${file} has a name of its own`, () =>
        soname === platform.runtime ? [] : [`SONAME ${soname}`],
      )
    }
  }
}

export async function checkManifests(checks, tarballs) {
  const attw = join(ROOT, 'node_modules', '@arethetypeswrong', 'cli', 'dist', 'index.js')
  for (const file of tarballs) {
    const name = file.split(/[\\/]/).at(-1)
    await checks.that(`publint: ${name}`, async () => {
      const bytes = readFileSync(file)
      const tarball = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength)
      const { messages, pkg } = await publint({ pack: { tarball }, strict: true })
      return messages
        .filter(({ type }) => type !== 'suggestion')
        .map((message) => formatMessage(message, pkg))
    })
    if (/^millrace-\d/.test(name)) {
      await checks.command(
        `attw: ${name}`,
        [process.execPath, attw, '--format', 'ascii', '--no-color', file],
        ROOT,
      )
    }
  }
}
