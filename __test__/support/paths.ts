/** Where things lie that tests read: the repository, the built packages, the models. */

import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'

export const ROOT = resolve(import.meta.dirname, '../..')

/** The golden files, or another folder of the same form named by `GOLDENS_DIR`. */
export const GOLDENS = resolve(process.env['GOLDENS_DIR'] ?? join(ROOT, '__test__/fixtures/goldens'))

/** A directory of the checked-in goldens, for tests that need a small model with a known property. */
export const goldenModel = (name: string): string => join(ROOT, '__test__/fixtures/goldens/models', name)

/** The bundled model's package. */
export const BUNDLED = join(ROOT, 'models/all-minilm-l6-v2')

/** The original all-MiniLM-L6-v2 in float32. Too large to check in, so it lies beside the repository or nowhere. */
export const REAL_MINILM = resolve(ROOT, '../shared/models/all-MiniLM-L6-v2')

export const hasRealMiniLm = (): boolean => existsSync(join(REAL_MINILM, 'model.onnx'))

/** The programs that tests run in processes of their own. */
export const child = (name: string): string => join(ROOT, '__test__/support/children', name)
