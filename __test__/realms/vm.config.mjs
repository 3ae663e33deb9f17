/** How `runners.test.ts` starts vitest. */
export default { test: { root: import.meta.dirname, include: ['*.vm.mjs'] } }
