/**
 * Compiles the TypeScript twice: ES modules to dist/esm, CommonJS to dist/cjs, each with declarations.
 * It does not build the addon.
 */

import { spawnSync } from 'node:child_process'
import { copyFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc')

rmSync(join(root, 'dist'), { recursive: true, force: true })
for (const project of ['tsconfig.esm.json', 'tsconfig.cjs.json']) {
  const { status } = spawnSync(process.execPath, [tsc, '-p', project], { cwd: root, stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}
// `import()` stays one here, where the CommonJS build would make it `require`.
copyFileSync(join(root, 'dist/esm/src/peers/import.cjs'), join(root, 'dist/cjs/src/peers/import.cjs'))
// tsc does not copy declarations that are sources, and those of both builds name the addon's.
for (const build of ['esm', 'cjs']) {
  copyFileSync(
    join(root, 'src/binding/generated.d.ts'),
    join(root, 'dist', build, 'src/binding/generated.d.ts'),
  )
}
// The package is `"type": "module"`; this folder is the exception, its declarations included.
writeFileSync(join(root, 'dist/cjs/package.json'), '{ "type": "commonjs" }\n')
