/** Tests run in processes of their own, as users run the addon. */

import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['__test__/**/*.test.ts'],
    pool: 'forks',
  },
})
