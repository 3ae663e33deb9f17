// The declarations of the addon name sets of words from other files. One that names a word which is not there would be `any`,
// without a complaint: declaration files are not checked.

import type {
  NativeAddon,
  NativeBatch,
  NativeDType,
  NativeError,
  NativeFamily,
  NativeJobOptions,
  NativeKind,
  NativeModelOptions,
} from '../../src/binding/types.js'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const holds = <T extends true>(): T | undefined => undefined

type Failed = Exclude<Awaited<ReturnType<NativeAddon['loadModel']>>, { info(): unknown }>

holds<Equal<Failed['code'], NativeError['code']>>()
holds<Equal<NativeModelOptions['family'], NativeFamily>>()
holds<Equal<NonNullable<NativeModelOptions['kind']>, NativeKind>>()
holds<Equal<NativeJobOptions['dtype'], NativeDType>>()
holds<Equal<NativeBatch['dtype'], NativeDType>>()
// @ts-expect-error no such word
holds<Equal<NativeBatch['dtype'], 'float64'>>()
