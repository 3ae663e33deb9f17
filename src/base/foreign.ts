/**
 * What a value is, whoever made it. `instanceof` asks which realm and which copy of a module made a value: Jest and vitest's `vm` pools
 * run modules in a realm of their own, while Node, the addon and other packages make their arrays and errors in the main one; and a
 * process that both imports and requires this package has two copies of each class. So values that others made are judged here by
 * what they hold. Values that cannot come from elsewhere need none of this.
 */

import { types } from 'node:util'
import { isRecord } from './is.js'

/** Typed arrays by the names of their constructors. */
export interface TypedArrays {
  Float32Array: Float32Array
  Float64Array: Float64Array
  Int8Array: Int8Array
  Uint8Array: Uint8Array
  Uint8ClampedArray: Uint8ClampedArray
  Uint16Array: Uint16Array
  Uint32Array: Uint32Array
}

/** Whether the value is that kind of typed array. A `Buffer` is a `Uint8Array`. */
export function isArrayOf<K extends keyof TypedArrays>(kind: K, value: unknown): value is TypedArrays[K] {
  // The getter behind the tag looks at the array's internals, so no other object can pass for one after `isView`.
  return ArrayBuffer.isView(value) && (value as unknown as TypedArrays[K])[Symbol.toStringTag] === kind
}

/** Bytes: a `Uint8Array` or a `Buffer`. */
export function isBytes(value: unknown): value is Uint8Array {
  return types.isUint8Array(value)
}

/** An `ArrayBuffer` or a `SharedArrayBuffer`. */
export function isBuffer(value: unknown): value is ArrayBuffer | SharedArrayBuffer {
  return types.isAnyArrayBuffer(value)
}

/** Memory that other threads may write to. */
export function isShared(value: unknown): value is SharedArrayBuffer {
  return types.isSharedArrayBuffer(value)
}

/** A `DataView`. */
export function isDataView(value: unknown): value is DataView {
  return types.isDataView(value)
}

/** A `Date`. */
export function isDate(value: unknown): value is Date {
  return types.isDate(value)
}

/** A promise of the language, which is awaited; a thenable is not one. */
export function isPromise(value: unknown): value is Promise<unknown> {
  return types.isPromise(value)
}

/** A `URL` of Node or of a test environment such as jsdom. */
export function isUrl(value: unknown): value is URL {
  return isRecord(value) && typeof value['href'] === 'string' && typeof value['protocol'] === 'string'
}

/** The text that a value is: a string, or a `String` object, as helpers for templates make. */
export function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  return types.isStringObject(value) ? String.prototype.valueOf.call(value) : undefined
}

/** An error: one of the language, or an object that is used as one, such as a `DOMException`. */
export function isError(value: unknown): value is Error {
  if (types.isNativeError(value)) return true
  return isRecord(value) && typeof value['message'] === 'string' && typeof value['name'] === 'string'
}

/** The `code` of an error, where it has one that is a string: `ENOENT`, `ERR_MODULE_NOT_FOUND`, `Z_DATA_ERROR`. */
export function codeOf(thrown: unknown): string | undefined {
  if (!isError(thrown) || !('code' in thrown)) return undefined
  return typeof thrown.code === 'string' ? thrown.code : undefined
}

/** What was thrown, in words. */
export function reasonOf(thrown: unknown): string {
  return isError(thrown) ? thrown.message : String(thrown)
}

/** The mark of one of our own classes; every copy of this package has the same. */
export function brandOf(className: string): symbol {
  return Symbol.for(`millrace.${className}`)
}

/** Puts a mark on a class: on its prototype, so that instances show nothing of it and a `Proxy` of one has it too. */
export function putBrand(marked: { prototype: object }, brand: symbol): void {
  Object.defineProperty(marked.prototype, brand, { value: true })
}

/** Whether the value is of the class with this mark, of this copy of the package or of another. */
export function hasBrand(value: unknown, brand: symbol): boolean {
  return typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[brand] === true
}
