/** Tests run in processes of their own, as users run the addon. */

import { defineConfig } from 'vitest/config'

export default defineConfig({
  // The one CommonJS source is stripped of its types too; by default `.cts` files are not.
  oxc: { include: /\.[cm]?ts$/ },
  test: {
    include: ['__test__/**/*.test.ts'],
    pool: 'forks',
    globalSetup: ['__test__/support/temporary.global.ts'],
  },
})
