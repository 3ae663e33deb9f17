/** Tests run in processes of their own, as users run the addon. */

import { defineConfig } from 'vitest/config'

/**
 * Far above what any test needs on a machine that is busy with other programs, so only a hang reaches it. The default of
 * five seconds failed tests whose process had to wait for a core. Tests that take longer by nature name a limit.
 */
const HANG_MS = 180_000

export default defineConfig({
  // The one CommonJS source is stripped of its types too; by default `.cts` files are not.
  oxc: { include: /\.[cm]?ts$/ },
  test: {
    include: ['__test__/**/*.test.ts'],
    pool: 'forks',
    testTimeout: HANG_MS,
    hookTimeout: HANG_MS,
    expect: { poll: { timeout: 60_000 } },
    globalSetup: ['__test__/support/temporary.global.ts'],
  },
})
