/**
 * What every supported major of the AI SDK must do with our models; each major has a test file of its own, which loads its packages.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MillraceError, TextCrossEncoder, TextEmbedding } from '../../index.js'
import { goldenModel } from '../support/paths.js'

export type AiSdk = Pick<
  typeof import('ai'),
  | 'cosineSimilarity'
  | 'createProviderRegistry'
  | 'defaultEmbeddingSettingsMiddleware'
  | 'embed'
  | 'embedMany'
  | 'rerank'
  | 'wrapEmbeddingModel'
>
export type Adapter = typeof import('../../src/adapters/ai-sdk.js')

const TEXTS = ['a mill race drives a water wheel', 'resizing a partition of a disk', 'a recipe for bread']
const QUESTION = 'how do I enlarge a partition?'
const BUNDLED = 'sentence-transformers/all-MiniLM-L6-v2'
const RERANKER = goldenModel('rr_bert')

/** Tests the adapter in one major of the SDK. */
export function describeAiSdk(major: number, sdk: AiSdk, { createMillrace }: Adapter): void {
  const { cosineSimilarity, createProviderRegistry, embed, embedMany, rerank, wrapEmbeddingModel } = sdk
  const reranker = `test/reranker-${major}`
  let model: TextEmbedding
  let expected: number[][]

  beforeAll(async () => {
    model = await TextEmbedding.create()
    expected = (await model.embed(TEXTS).toArray()).map((row) => [...row])
    TextCrossEncoder.addCustomModel({ model: reranker, modelPath: RERANKER })
  })
  afterAll(() => model.close())

  describe(`AI SDK ${major}`, () => {
    it('embeds one and many, with their tokens', async () => {
      const provider = createMillrace()
      const registry = createProviderRegistry({ millrace: provider })
      const many = await embedMany({ model: registry.embeddingModel(`millrace:${BUNDLED}`), values: TEXTS })
      expect(many.embeddings).toEqual(expected)
      expect(many.usage.tokens).toBe(await model.tokenCount(TEXTS))
      const { embedding } = await embed({
        model: provider.embeddingModel(BUNDLED),
        value: QUESTION,
        providerOptions: { millrace: { role: 'query' } },
      })
      const scores = many.embeddings.map((row) => cosineSimilarity(row, embedding))
      expect(scores.indexOf(Math.max(...scores))).toBe(1)
      await provider.close()
    })

    it('embeds through middleware', async () => {
      const provider = createMillrace()
      const wrapped = wrapEmbeddingModel({
        model: provider.embeddingModel(BUNDLED),
        middleware: sdk.defaultEmbeddingSettingsMiddleware({
          settings: { providerOptions: { millrace: { role: 'passage' } } },
        }),
      })
      expect((await embed({ model: wrapped, value: TEXTS[0] as string })).embedding).toEqual(expected[0])
      await provider.close()
    })

    // AI SDK 7 wraps models of specification v3 in a proxy, and users wrap or copy them to log and to count.
    it.each<[string, <M extends object>(value: M) => M]>([
      ['in a Proxy', (value) => new Proxy(value, {})],
      ['as a copy of its properties', (value) => ({ ...value })],
      ['as the prototype of another object', (value) => Object.create(value)],
    ])('works %s', async (_, around) => {
      const provider = around(createMillrace())
      const own = around(provider.embeddingModel(BUNDLED))
      expect((await embedMany({ model: own, values: TEXTS })).embeddings).toEqual(expected)
      const judge = around(provider.rerankingModel(reranker))
      const { ranking } = await rerank({ model: judge, documents: TEXTS, query: QUESTION })
      expect(ranking).toHaveLength(TEXTS.length)
      await provider.close()
    })

    it('passes aborts and errors on', async () => {
      const provider = createMillrace()
      const doEmbed = (abortSignal: AbortSignal) =>
        provider.embeddingModel(BUNDLED).doEmbed({ values: TEXTS, abortSignal })
      await expect(doEmbed(AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough')
      const unknown = provider.embeddingModel('no/such-model').doEmbed({ values: TEXTS })
      await expect(unknown).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' })
      const role = { millrace: { role: 'judge' } }
      const odd = provider.embeddingModel(BUNDLED).doEmbed({ values: TEXTS, providerOptions: role })
      await expect(odd).rejects.toBeInstanceOf(MillraceError)
      expect(() => provider.languageModel('x')).toThrow(/languageModel/)
      await provider.close()
    })

    it('reranks', async () => {
      const provider = createMillrace()
      const { ranking } = await rerank({
        model: provider.rerankingModel(reranker),
        documents: TEXTS,
        query: QUESTION,
        topN: 2,
      })
      expect(ranking.map(({ document }) => TEXTS.includes(document))).toEqual([true, true])
      expect(ranking[0]?.score).toBeGreaterThanOrEqual(ranking[1]?.score as number)
      await provider.close()
    })
  })
}
