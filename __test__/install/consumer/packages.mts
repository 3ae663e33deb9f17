/** Types of the subpaths, beside the frameworks' own. */
import type { EmbeddingModelV3 } from '@ai-sdk/provider'
import type { EmbeddingsInterface } from '@langchain/core/embeddings'
import { EmbeddingPipeline, folderSource, lanceDbSink, type PipelineReport, type Sink } from 'millrace'
import { createMillrace } from 'millrace/ai-sdk'
import { MillraceFunction } from 'millrace/lancedb'
import { MillraceEmbeddings } from 'millrace/langchain'

const embeddings: EmbeddingsInterface = new MillraceEmbeddings()
const model: EmbeddingModelV3 = createMillrace().embeddingModel('BAAI/bge-small-en-v1.5')
const sink: Sink = lanceDbSink({ uri: './db', table: 'docs' })
export const run = async (folder: string): Promise<PipelineReport> => {
  await using pipeline = await EmbeddingPipeline.create({ sink })
  return pipeline.run(folderSource(folder))
}
export const made = [embeddings, model, MillraceFunction] as const
