/**
 * The one CommonJS file of the package, the same in both builds: an addon is loaded with `require`, and a file's own
 * place is known here without `import.meta`. Which addon to load is decided in `load.ts`.
 */

/** `require` with this file's resolution. */
export const nativeRequire: NodeJS.Require = require

/** The folder of this file. */
export const moduleDirectory: string = __dirname

/** The addon file of an installed platform package. Throws as `require.resolve` does when it is not installed. */
export function resolvePlatformPackage(platform: string): string {
  // Written out one by one, so that bundlers and file tracers see them.
  switch (platform) {
    case 'linux-x64-gnu':
      return require.resolve('@millrace/linux-x64-gnu')
    case 'linux-arm64-gnu':
      return require.resolve('@millrace/linux-arm64-gnu')
    case 'darwin-arm64':
      return require.resolve('@millrace/darwin-arm64')
    case 'win32-x64-msvc':
      return require.resolve('@millrace/win32-x64-msvc')
    default:
      throw new Error(`There is no package for ${platform}`)
  }
}
