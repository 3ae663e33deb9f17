/** `millrace models pull`: downloads models into the cache and shows how far it is. */

import cliProgress from 'cli-progress'
import { textModelFiles } from '../../store/files.js'
import type { DownloadProgress, ModelFiles } from '../../store/options.js'
import { resolveModel } from '../../store/resolve.js'
import { bytes, isInteractive, print, say } from '../terminal.js'

/** What commander makes of the options. */
export interface PullFlags {
  cacheDir?: string
  revision?: string
  modelFile?: string
  file?: string[]
  endpoint?: string
  quiet?: boolean
}

/** Where a known model lies on the hub, and which files it needs. */
export interface CatalogEntry {
  repo: string
  revision?: string
  files: ModelFiles
}

/** Knows models by name. */
export type Catalog = (name: string) => CatalogEntry | undefined

/** Where most repositories keep their graph. */
const USUAL_MODEL_FILE = 'onnx/model.onnx'

/** Downloads each, prints its directory. */
export async function pull(
  names: readonly string[],
  { cacheDir, revision, modelFile, file, endpoint, quiet }: PullFlags,
  catalog: Catalog,
  signal: AbortSignal,
): Promise<void> {
  for (const name of names) {
    const known = catalog(name)
    const chosen = file !== undefined ? { required: file } : undefined
    const ofModelFile = modelFile !== undefined ? textModelFiles(modelFile) : undefined
    const view = progressView(quiet === true)
    try {
      const { dir } = await resolveModel({
        repo: known?.repo ?? name,
        revision: revision ?? known?.revision,
        files: chosen ?? ofModelFile ?? known?.files ?? textModelFiles(USUAL_MODEL_FILE),
        cacheDir,
        endpoint,
        // Also a complete copy may be an old one.
        refresh: true,
        signal,
        onProgress: view.update,
      })
      view.stop()
      await print(`${dir}\n`)
    } finally {
      view.stop()
    }
  }
}

interface View {
  update: (progress: DownloadProgress) => void
  stop: () => void
}

/** A bar over the bytes of the files begun so far on a terminal, else a line for each file. */
function progressView(quiet: boolean): View {
  if (quiet) return { update() {}, stop() {} }
  return isInteractive(process.stderr) ? barView() : lineView()
}

function barView(): View {
  const bar = new cliProgress.SingleBar({
    stream: process.stderr,
    format: '{bar} {text}',
    barsize: 24,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    hideCursor: true,
    clearOnComplete: true,
    // The command handles SIGINT and stops the bar itself.
    gracefulExit: false,
  })
  const files = new Map<string, DownloadProgress>()
  let started = false
  return {
    update(progress) {
      files.set(progress.file, progress)
      const all = [...files.values()]
      const received = all.reduce((sum, { receivedBytes }) => sum + receivedBytes, 0)
      const total = all.reduce((sum, one) => sum + (one.totalBytes ?? one.receivedBytes), 0)
      const done = `${progress.filesDone}/${progress.filesTotal} files`
      const text = `${progress.repo}  ${bytes(received)} of ${bytes(total)}  ${done}`
      if (!started) bar.start(total, received, { text })
      started = true
      bar.setTotal(total)
      bar.update(received, { text })
    },
    stop() {
      if (started) bar.stop()
      started = false
    },
  }
}

function lineView(): View {
  let done = -1
  return {
    update({ repo, file, receivedBytes, filesDone, filesTotal }) {
      if (filesDone === done || receivedBytes === 0) return
      done = filesDone
      say(`${repo}  ${file}  ${bytes(receivedBytes)}  ${filesDone}/${filesTotal} files`)
    },
    stop() {},
  }
}
