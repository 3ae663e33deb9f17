/** What tests of sources share: files in folders of their own, and all that a source gives. */
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { NamedDocumentSource, PipelineDocument, UnreadableDocument } from '../../index.js'

/** An empty folder. */
export const fresh = (): Promise<string> => mkdtemp(join(tmpdir(), 'millrace-source-'))

/** A file with this content in a folder of its own. */
export async function file(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(await fresh(), name)
  await writeFile(path, content)
  return path
}

/** All that a source gives. */
export async function all(source: NamedDocumentSource): Promise<(PipelineDocument | UnreadableDocument)[]> {
  const documents: (PipelineDocument | UnreadableDocument)[] = []
  for await (const document of source) documents.push(document)
  return documents
}
