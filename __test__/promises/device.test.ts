/** `device: 'cuda'` is real or an error; `'auto'` falls back and says so. */

import { describe, expect, it } from 'vitest'
import { devices, TextEmbedding } from '../../index.js'
import { goldenModel } from '../support/paths.js'
import { PATIENCE_MS } from '../support/patience.js'

const cuda = (await devices()).find(({ device }) => device === 'cuda')
const modelPath = goldenModel('custom_both')

it('lists the CPU, and why CUDA is not there', async () => {
  const all = await devices()
  expect(all.find(({ device }) => device === 'cpu')).toMatchObject({ available: true })
  if (cuda?.available !== true) expect(cuda?.reason).toMatch(/\w/)
})

describe.skipIf(cuda?.available === true)('without CUDA', () => {
  it('cuda is an error, soon', async () => {
    const started = performance.now()
    await expect(TextEmbedding.create({ modelPath, device: 'cuda' })).rejects.toMatchObject({
      code: 'DEVICE_UNAVAILABLE',
    })
    expect(performance.now() - started).toBeLessThan(PATIENCE_MS)
  })

  it('auto is the CPU and says so', async () => {
    await using model = await TextEmbedding.create({ modelPath, device: 'auto' })
    const info = await model.info()
    expect(info.devices.length).toBe(info.sessions)
    for (const device of info.devices) {
      expect(device.device).toBe('cpu')
      expect(device.fallback).toMatch(/cuda/i)
    }
    expect(await model.embed('a text').toArray()).toHaveLength(1)
  })

  it('cpu needs no fallback', async () => {
    await using model = await TextEmbedding.create({ modelPath })
    for (const device of (await model.info()).devices) {
      expect(device.device).toBe('cpu')
      expect(device.fallback).toBeUndefined()
    }
  })
})

describe.skipIf(cuda?.available !== true)('with CUDA', () => {
  it('gives the vectors of the CPU', async () => {
    await using onGpu = await TextEmbedding.create({ modelPath, device: 'cuda' })
    await using onCpu = await TextEmbedding.create({ modelPath })
    expect((await onGpu.info()).devices.every(({ device }) => device === 'cuda')).toBe(true)
    const source = ['a text', 'another one', 'a third, longer than the two before it']
    const [gpu, cpu] = [await onGpu.embed(source).toMatrix(), await onCpu.embed(source).toMatrix()]
    for (const [i, value] of gpu.data.entries()) expect(value).toBeCloseTo(cpu.data[i] as number, 4)
  })
})
