/**
 * The native addon as TypeScript sees it: the declarations that set-up generates from crates/node, and the sets of words that
 * those declarations name. What a declaration means is said in its Rust source, from where it comes.
 *
 * Only files of this folder and the classes that wrap a native object import from here. Failures come back as data
 * (`NativeError`), never as rejections: see `base/errors.ts`.
 */

import type * as generated from './generated.js'

export type { NativeError } from '../base/errors.js'
export type * from './generated.js'

/** The functions of the addon. */
export type NativeAddon = typeof generated

export type NativeFamily = 'dense' | 'static' | 'sparse' | 'late' | 'rerank' | 'image' | 'multimodal'

/** How token vectors become one vector. Only the generated declarations name it. @public */
export type NativePooling = 'cls' | 'mean' | 'last' | 'max' | 'mean-sqrt-len' | 'weighted-mean' | 'none'

/** Kinds of the families `sparse` and `late`. */
export type NativeKind =
  | 'bm25'
  | 'splade'
  | 'if-splade'
  | 'bm42'
  | 'minicoil'
  | 'colbert'
  | 'jina-colbert'
  | 'late-on'
  | 'm-late-on'
  | 'tokens'

export type NativeDType = 'float32' | 'float16' | 'int8' | 'uint8' | 'binary' | 'ubinary'
