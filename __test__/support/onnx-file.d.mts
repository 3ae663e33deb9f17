/** Types of `onnx-file.mjs`. */

export const FLOAT: number
export const INT32: number
export const INT64: number
export const FLOAT16: number

export interface GraphParts {
  nodes: Buffer[][]
  tensors: Buffer[][]
  inputs: Buffer[][]
  outputs: Buffer[][]
}

export function onnxFile(graph: GraphParts): Buffer
export function node(type: string, inputs: string[], output: string, attributes?: Buffer[][]): Buffer[]
export function int(name: string, value: number): Buffer[]
export function ints(name: string, values: number[]): Buffer[]
export function port(name: string, type: number, dims: (number | string)[]): Buffer[]
export function floats(name: string, dims: number[], values: ArrayLike<number>): Buffer[]
export function integers(name: string, values: number[]): Buffer[]
