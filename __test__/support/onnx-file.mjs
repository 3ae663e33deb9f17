/**
 * Writes small ONNX files field by field, so that no tool is needed. Field numbers are those of onnx.proto. It checks nothing:
 * ONNX Runtime does, when a test loads the file.
 */

/** Element types. */
export const FLOAT = 1
export const INT32 = 6
export const INT64 = 7
export const FLOAT16 = 10

/** The operators that the nodes are of. */
const OPSET = 17

/**
 * The bytes of a model.
 *
 * @param {{ nodes: Buffer[][], tensors: Buffer[][], inputs: Buffer[][], outputs: Buffer[][] }} graph
 */
export function onnxFile({ nodes, tensors, inputs, outputs }) {
  const graph = [
    ...nodes.map((parts) => message(1, parts)),
    text(2, 'test'),
    ...tensors.map((parts) => message(5, parts)),
    ...inputs.map((parts) => message(11, parts)),
    ...outputs.map((parts) => message(12, parts)),
  ]
  return Buffer.concat([number(1, 8), message(7, graph), message(8, [text(1, ''), number(2, OPSET)])])
}

/**
 * @param {string} type
 * @param {string[]} inputs
 * @param {string} output
 * @param {Buffer[][]} attributes
 */
export const node = (type, inputs, output, attributes = []) => [
  ...inputs.map((name) => text(1, name)),
  text(2, output),
  text(4, type),
  ...attributes.map((parts) => message(5, parts)),
]

/** @param {string} name @param {number} value */
export const int = (name, value) => [text(1, name), number(3, value), number(20, 2)]

/** @param {string} name @param {number[]} values */
export const ints = (name, values) => [
  text(1, name),
  ...values.map((value) => number(8, value)),
  number(20, 7),
]

/**
 * An input or output; a dimension that varies has a name.
 *
 * @param {string} name
 * @param {number} type
 * @param {(number | string)[]} dims
 */
export const port = (name, type, dims) => {
  const shape = dims.map((dim) => message(1, [typeof dim === 'number' ? number(1, dim) : text(2, dim)]))
  return [text(1, name), message(2, [message(1, [number(1, type), message(2, shape)])])]
}

/** @param {string} name @param {number[]} dims @param {ArrayLike<number>} values */
export function floats(name, dims, values) {
  return [
    ...dims.map((dim) => number(1, dim)),
    number(2, FLOAT),
    text(8, name),
    raw(Float32Array.from(values)),
  ]
}

/** @param {string} name @param {number[]} values */
export function integers(name, values) {
  return [number(1, values.length), number(2, INT64), text(8, name), raw(BigInt64Array.from(values, BigInt))]
}

/** @param {Float32Array | BigInt64Array} values */
const raw = (values) => field(9, 2, Buffer.from(values.buffer, values.byteOffset, values.byteLength))
/** @param {number} tag @param {string} value */
const text = (tag, value) => field(tag, 2, Buffer.from(value))
/** @param {number} tag @param {Buffer[]} parts */
const message = (tag, parts) => field(tag, 2, Buffer.concat(parts))
/** @param {number} tag @param {number} value */
const number = (tag, value) => Buffer.concat([varint(tag << 3), varint(value)])

/** @param {number} tag @param {number} wire @param {Buffer} bytes */
function field(tag, wire, bytes) {
  return Buffer.concat([varint((tag << 3) | wire), varint(bytes.length), bytes])
}

/**
 * Seven bits a byte, lowest first; negative numbers as 64-bit two's complement.
 *
 * @param {number} value
 */
function varint(value) {
  const bytes = []
  let rest = BigInt.asUintN(64, BigInt(value))
  do {
    const low = Number(rest & 0x7fn)
    rest >>= 7n
    bytes.push(rest > 0n ? low | 0x80 : low)
  } while (rest > 0n)
  return Buffer.from(bytes)
}
