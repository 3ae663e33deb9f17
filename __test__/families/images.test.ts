/** Images: every way to give one is the same image, limits hold before anything is decoded, and pixels without a model. */

import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  ImageEmbedding,
  type ImageInput,
  ImageProcessor,
  LateInteractionMultimodalEmbedding,
} from '../../index.js'
import { goldenModel } from '../support/paths.js'
import { bombPng, png } from '../support/png.mjs'
import { bits, norm } from '../support/vectors.js'
import { BAD_IMAGES, goldenImage } from './subjects.js'

const CLIP = goldenModel('clip_vision')
const RGB = goldenImage('rgb.png')
const bytes = readFileSync(RGB)

let model: ImageEmbedding
beforeAll(async () => {
  model = await ImageEmbedding.create({ modelPath: CLIP })
})
afterAll(() => model.close())

const vector = async (image: ImageInput) => bits((await model.embed([image]).toArray())[0] as Float32Array)

describe('an image', () => {
  it('is the same by path, URL, Buffer and ArrayBuffer, in a list or alone', async () => {
    const expected = await vector(RGB)
    const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer
    for (const image of [pathToFileURL(RGB), bytes, new Uint8Array(bytes), buffer]) {
      expect(await vector(image)).toBe(expected)
      // Alone a Buffer is one image, not a list of numbers.
      const rows = await model.embed(image).toArray()
      expect(rows.map(bits)).toEqual([expected])
    }
    const query = await model.queryEmbed(RGB).toArray()
    expect(query.map(bits)).toEqual([expected])
    const passage = await model.passageEmbed(new Set([RGB])).toArray()
    expect(passage.map(bits)).toEqual([expected])
  })

  it('is the same as a data: or file: URL, in memory of every kind, as a Blob and as a File of a form', async () => {
    const expected = await vector(RGB)
    const { buffer, byteOffset, byteLength } = bytes
    const shared = new SharedArrayBuffer(byteLength)
    new Uint8Array(shared).set(bytes)
    const base64 = bytes.toString('base64')
    const form = new FormData()
    form.set('image', new Blob([bytes]), 'rgb.png')
    const images: Record<string, ImageInput> = {
      'file: string': pathToFileURL(RGB).href,
      'data: string': `data:image/png;base64,${base64}`,
      'data: string, escaped': `DATA:image/png;charset=x;base64,${encodeURIComponent(base64)}`,
      'data: URL': new URL(`data:image/png;base64,${base64}`),
      'data: string without base64': `data:image/png,${[...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')}`,
      DataView: new DataView(buffer, byteOffset, byteLength),
      SharedArrayBuffer: shared,
      'view of a SharedArrayBuffer': new Uint8Array(shared),
      Blob: new Blob([bytes]),
      'File of a form': form.get('image') as File,
      'String object': Object(RGB) as string,
      'file that sharp encoded': { data: bytes, info: { format: 'png', width: 1, height: 1, channels: 3 } },
    }
    for (const [name, image] of Object.entries(images)) {
      expect(await vector(image), name).toBe(expected)
      // Alone it is one image and no list.
      expect((await model.embed(image).toArray()).map(bits), name).toEqual([expected])
    }
    const rows = await model.embed([RGB, new Blob([bytes]), RGB]).toArray()
    expect(rows.map(bits)).toEqual([expected, expected, expected])
  })

  it('is told where it is no image, without repeating it', async () => {
    const messageOf = (image: unknown) =>
      model
        .embed([image as ImageInput])
        .toArray()
        .then(
          () => '',
          ({ message }: Error) => message,
        )
    expect(await messageOf('https://example.com/cat.png')).toContain('(await fetch(url)).arrayBuffer()')
    const long = bytes.toString('base64').repeat(1000)
    expect(await messageOf(long)).toContain("Buffer.from(text, 'base64')")
    for (const image of [
      long,
      `data:image/png;base64,${long.slice(1)}`,
      `data:${long}`,
      `https://x.org/${long}`,
    ]) {
      expect((await messageOf(image)).length).toBeLessThan(600)
    }
  })

  // A Blob may stand for a file of any size.
  it('is not read beyond the limit when it is a Blob', async () => {
    let most = 0
    class Counted extends Blob {
      override slice(from?: number, to?: number) {
        most = Math.max(most, to ?? this.size)
        return super.slice(from, to)
      }
    }
    const large = new Counted([new Uint8Array(5_000_000)])
    const reading = model.embed([large], { maxImageBytes: 1000 }).toArray()
    await expect(reading).rejects.toMatchObject({ code: 'IMAGE_INVALID', index: 0 })
    expect(most).toBe(1001)
  })

  it('is the pixels of sharp and of a canvas', async () => {
    const [width, height] = [20, 10]
    const rgba = Uint8Array.from({ length: width * height * 4 }, (_, i) => (i * 7) % 256)
    const raw = { data: rgba, width, height, channels: 4 } as const
    const expected = await vector(raw)
    expect(
      await vector({ data: Buffer.from(rgba), info: { format: 'raw', width, height, channels: 4 } }),
    ).toBe(expected)
    expect(await vector({ data: new Uint8ClampedArray(rgba), width, height })).toBe(expected)
    const unclear = model.embed({ data: rgba, width, height } as ImageInput).toArray()
    await expect(unclear).rejects.toMatchObject({ code: 'INPUT_INVALID' })
  })

  it('is the same as pixels, gray, with alpha or clamped', async () => {
    const [width, height] = [20, 10]
    const colors = Array.from({ length: width * height }, (_, i) => [i % 256, (i * 3) % 256, (i * 7) % 256])
    const raw = (channels: 1 | 2 | 3 | 4, of: (rgb: number[]) => number[]) =>
      ({ data: Uint8Array.from(colors.flatMap(of)), width, height, channels }) as const
    const rgb = raw(3, (color) => color)
    const expected = await vector(rgb)
    expect(await vector(raw(4, (color) => [...color, 7]))).toBe(expected)
    expect(await vector({ ...rgb, data: new Uint8ClampedArray(rgb.data) })).toBe(expected)
    const gray = raw(3, ([red = 0]) => [red, red, red])
    expect(await vector(raw(1, ([red = 0]) => [red]))).toBe(await vector(gray))
    expect(await vector(raw(2, ([red = 0]) => [red, 9]))).toBe(await vector(gray))
    expect(await vector(gray)).not.toBe(expected)
  })

  it('follows its EXIF orientation only on wish', async () => {
    const image = goldenImage('exif_rotated.jpg')
    const [as, upright] = [await vector(image), (await model.embed(image, { autoOrient: true }).toArray())[0]]
    expect(bits(upright as Float32Array)).not.toBe(as)
  })

  it('may be changed by its owner once the call has read it', async () => {
    const mine = png(300, 200, 5)
    const expected = await vector(Buffer.from(mine))
    const reading = model.embed([mine]).toArray()
    await new Promise((resolve) => setImmediate(resolve))
    mine.fill(0)
    const [row] = await reading
    expect(bits(row as Float32Array)).toBe(expected)
  })
})

describe('limits', () => {
  it('are looked at before anything is decoded', async () => {
    const before = process.memoryUsage.rss()
    const error = await model
      .embed([bombPng()])
      .toArray()
      .catch((caught: unknown) => caught)
    expect(error).toMatchObject({ code: 'IMAGE_INVALID', index: 0 })
    expect((error as Error).message).toMatch(/pixels/)
    expect(process.memoryUsage.rss() - before).toBeLessThan(100 * 2 ** 20)
  })

  it('are those of the call', async () => {
    const image = png(64, 64)
    expect(await model.embed([image], { maxImagePixels: 64 * 64 }).toArray()).toHaveLength(1)
    for (const options of [{ maxImagePixels: 64 * 64 - 1 }, { maxImageBytes: image.length - 1 }]) {
      await expect(model.embed([image], options).toArray()).rejects.toMatchObject({ code: 'IMAGE_INVALID' })
      const rows = await model.embed([RGB, image], { ...options, errors: 'collect' }).toArray()
      expect(rows[1]).toBeNull()
    }
  })
})

describe('vectors', () => {
  it('come in every format', async () => {
    const dim = (await model.info()).dim as number
    const full = await model.embed(RGB).toMatrix()
    expect([full.dim, full.data.constructor]).toEqual([dim, Float32Array])
    expect(norm(full.row(0))).toBeCloseTo(1, 5)
    const int8 = await model.embed(RGB, { dtype: 'int8' }).toMatrix()
    const scale = int8.scales?.[0] as number
    for (const [i, value] of int8.row(0).entries()) {
      expect(Math.abs(value * scale - (full.row(0)[i] as number))).toBeLessThanOrEqual(scale)
    }
    const binary = await model.embed(RGB, { dtype: 'ubinary' }).toMatrix()
    expect([binary.dim, binary.data.constructor]).toEqual([dim / 8, Uint8Array])
    const cut = await model.embed(RGB, { dimensions: 16 }).toMatrix()
    expect(cut.dim).toBe(16)
    expect(norm(cut.row(0))).toBeCloseTo(1, 5)
    const empty = await model.embed([], { dimensions: 16, dtype: 'int8' }).toMatrix()
    expect([empty.length, empty.dim, empty.data.constructor]).toEqual([0, 16, Int8Array])
  })
})

describe('ImageProcessor', () => {
  it('gives the tensor that the model gets', async () => {
    const processor = await ImageProcessor.create(pathToFileURL(CLIP))
    const { data, shape } = await processor.process(RGB)
    expect(shape).toEqual([1, 3, 48, 48])
    expect(data).toBeInstanceOf(Float32Array)
    expect(data.length).toBe(3 * 48 * 48)
    for (const image of [bytes, pathToFileURL(RGB)]) {
      expect(bits((await processor.process(image)).data)).toBe(bits(data))
    }
    const rotated = goldenImage('exif_rotated.jpg')
    const upright = await processor.process(rotated, { autoOrient: true })
    expect(bits(upright.data)).not.toBe(bits((await processor.process(rotated)).data))
  })

  it('splits where the model does', async () => {
    const processor = await ImageProcessor.create(goldenModel('colmodernvbert'))
    const wide = await processor.process(goldenImage('wide.png'))
    expect(wide.shape[0]).toBeGreaterThan(1)
    expect(wide.data.length).toBe(wide.shape.reduce<number>((product, length) => product * length, 1))
  })

  it.each(BAD_IMAGES)('refuses $what', async ({ item, code }) => {
    const processor = await ImageProcessor.create(CLIP)
    await expect(processor.process(item as string)).rejects.toMatchObject({ name: 'MillraceError', code })
  })

  it('keeps to limits, and to known options', async () => {
    const processor = await ImageProcessor.create(CLIP)
    await expect(processor.process(RGB, { maxImagePixels: 10 })).rejects.toMatchObject({
      code: 'IMAGE_INVALID',
    })
    await expect(processor.process(RGB, { maxPixels: 10 } as object)).rejects.toMatchObject({
      code: 'INVALID_OPTION',
    })
    await expect(ImageProcessor.create(goldenModel('bge'))).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' })
    await expect(ImageProcessor.create(undefined as unknown as string)).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      message: 'Expected non-empty string for modelPath but received undefined',
    })
  })
})

it('texts and images of one model lie in one space', async () => {
  await using pages = await LateInteractionMultimodalEmbedding.create({
    modelPath: goldenModel('colmodernvbert'),
    errors: 'collect',
  })
  const [texts, images] = await Promise.all([
    pages.embedText(['a question', 'another']).toMatrix(),
    pages.embedImage([RGB, 'no such file.png', goldenImage('wide.png')]).toMatrix(),
  ])
  expect(texts.dim).toBe(images.dim)
  expect([...images.errors.keys()]).toEqual([1])
  expect([images.row(0).length, images.row(2).length]).toEqual([images.tokens[0], images.tokens[2]])
})
