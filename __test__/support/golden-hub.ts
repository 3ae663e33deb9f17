/**
 * A hub's cache that has small golden models under the names of real ones, so that code which names a model runs offline, and word for word as users
 * write it. The vectors mean nothing.
 */
import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { allRegistries } from '../../src/models/registries.js'
import { goldenModel } from './paths.js'

/** Which golden model stands for which name. */
const MODELS: Readonly<Record<string, string>> = {
  'BAAI/bge-small-en-v1.5': 'bge',
  'intfloat/multilingual-e5-large': 'minilm',
  'sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2': 'multilingual',
  'prithivida/Splade_PP_en_v1': 'splade',
  'Qdrant/bm42-all-minilm-l6-v2-attentions': 'bm42',
  'colbert-ir/colbertv2.0': 'colbert',
  'answerdotai/answerai-colbert-small-v1': 'answerai',
  'Qdrant/clip-ViT-B-32-text': 'clip_text',
  'Qdrant/clip-ViT-B-32-vision': 'clip_vision',
  'Qdrant/resnet50-onnx': 'resnet',
  'Qdrant/colmodernvbert': 'colmodernvbert',
  'Xenova/ms-marco-MiniLM-L-6-v2': 'rr_bert',
}

const COMMIT = '0123456789abcdef0123456789abcdef01234567'

/** Fills `cacheDir`, and gives the environment in which programs use it and no network. */
export function goldenHub(cacheDir: string): Record<string, string> {
  for (const [name, golden] of Object.entries(MODELS)) {
    for (const source of allRegistries.flatMap((registry) => registry.find(name)?.source ?? [])) {
      if (source.kind !== 'hub') continue
      const repo = join(cacheDir, `models--${source.repo.replaceAll('/', '--')}`)
      const snapshot = join(repo, 'snapshots', COMMIT)
      cpSync(goldenModel(golden), snapshot, { recursive: true })
      const file = join(snapshot, source.modelFile)
      mkdirSync(dirname(file), { recursive: true })
      // The goldens of some models have their weights under another name.
      if (!existsSync(file)) cpSync(join(snapshot, 'model.onnx'), file)
      // Weights beside a graph, which the small graph has inside.
      for (const name of source.additional) {
        const beside = join(snapshot, name)
        if (!existsSync(beside)) writeFileSync(beside, '')
      }
      const ref = join(repo, 'refs', source.revision ?? 'main')
      mkdirSync(dirname(ref), { recursive: true })
      writeFileSync(ref, COMMIT)
    }
  }
  return { HF_HUB_CACHE: cacheDir, HF_HUB_OFFLINE: '1' }
}
