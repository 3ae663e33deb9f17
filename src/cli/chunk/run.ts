/** Texts → cleaner → chunker → JSON lines, some texts at a time. */

import { type CleanOptions, cleanText, TextChunker, type TextChunkerOptions } from '../../../index.js'
import { toJsonText } from '../../pipeline/sources/json.js'
import { usageError } from '../exit.js'
import { type Destination, openDestination } from '../output/destination.js'
import type { ChunkFlags } from './flags.js'
import { type ChunkInput, readInputs } from './inputs.js'

/** Texts of one native call: enough to make the calls few. */
const CALL_TEXTS = 256

/** UTF-16 code units of one native call, unless one text has more: bounds what is held. */
const CALL_UNITS = 4 * 1024 * 1024

/** Chunks and writes. Rejects with what reading, chunking or writing finds; an output file then does not appear. */
export async function runChunk(
  files: readonly string[],
  flags: ChunkFlags,
  signal: AbortSignal,
): Promise<void> {
  if (flags.by === 'markdown' && (flags.markdown === true || flags.html === true)) {
    throw usageError('--by markdown needs the markup that --markdown and --html take away')
  }
  const clean = cleaning(flags)
  const chunker = await TextChunker.create(chunkerOptions(flags))
  const to = await openDestination(flags.output, false)
  try {
    for await (const inputs of gathered(readInputs(files, flags))) {
      signal.throwIfAborted()
      await writeChunks(chunker, inputs, clean, to)
    }
    signal.throwIfAborted()
    await to.commit()
  } finally {
    await to.discard()
  }
}

async function writeChunks(
  chunker: TextChunker,
  inputs: readonly ChunkInput[],
  clean: CleanOptions | undefined,
  to: Destination,
): Promise<void> {
  const given = inputs.map((input) => input.text)
  const texts = clean === undefined ? given : await cleanText(given, clean)
  const all = await chunker.chunkBatch(texts)
  for (const [i, chunks] of all.entries()) {
    const { source, kept } = inputs[i] as ChunkInput
    let lines = ''
    for (const { headings, text, ...span } of chunks) {
      const path = headings.length > 0 && { headings }
      lines += `${toJsonText({ ...kept, source, ...span, ...path, text })}\n`
    }
    if (lines !== '') await to.write(lines)
  }
}

async function* gathered(inputs: AsyncIterable<ChunkInput>): AsyncGenerator<ChunkInput[], void, undefined> {
  let batch: ChunkInput[] = []
  let units = 0
  for await (const input of inputs) {
    batch.push(input)
    units += input.text.length
    if (batch.length < CALL_TEXTS && units < CALL_UNITS) continue
    yield batch
    batch = []
    units = 0
  }
  if (batch.length > 0) yield batch
}

/** What is cleaned before chunking; nothing when nothing was asked for. */
function cleaning({ clean, html, markdown, by }: ChunkFlags): CleanOptions | undefined {
  const format = html === true ? 'html' : markdown === true ? 'markdown' : 'text'
  if (clean === true) {
    // The white space of Markdown is part of its structure.
    return { format, ...(by === 'markdown' && { whitespace: 'keep' }) }
  }
  if (format === 'text') return undefined
  return { format, normalization: 'none', typography: false, invisible: false, whitespace: 'keep' }
}

function chunkerOptions({
  by,
  overlap,
  maxTokens,
  prefix,
  model,
  modelPath,
}: ChunkFlags): TextChunkerOptions {
  return { by, overlap, maxTokens, prefix, model, modelPath }
}
