// The addon as its Rust source declares it is the addon as TypeScript codes against it.

import type * as Generated from '../../src/binding/generated.js'
import type { NativeAddon } from '../../src/binding/types.js'

declare const generated: typeof Generated

export const addon: NativeAddon = generated
// @ts-expect-error an addon that lacks a function is not one
export const lacking: NativeAddon = {} as Omit<typeof Generated, 'loadModel'>
