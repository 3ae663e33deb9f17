/** The model store: models of a hub as directories on this machine. This file only exports. */

export { imageModelFiles, textModelFiles } from './files.js'
export {
  type CachedFile,
  type CachedModel,
  type CachedRevision,
  type CacheOptions,
  cachedDirectory,
  listModels,
} from './list.js'
export type { DownloadProgress, ModelFiles, ResolveOptions } from './options.js'
export { type Pruned, type PruneOptions, type PruneResult, pruneModels } from './prune.js'
export { type ResolvedModel, resolveModel } from './resolve.js'
export { type VerifiedFile, type VerifyOptions, verifyModels } from './verify.js'
