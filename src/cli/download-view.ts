/** Shows how far a download is: a bar on a terminal, else a line for each file. It measures nothing itself. */

import cliProgress from 'cli-progress'
import type { DownloadProgress } from '../options/model.js'
import { bytes, isInteractive, say } from './terminal.js'

/** What `onDownload` and its like feed. */
export interface DownloadView {
  update: (progress: DownloadProgress) => void
  stop: () => void
}

/** A bar over the bytes of the files begun so far on a terminal, else a line for each file. */
export function downloadView(quiet: boolean): DownloadView {
  if (quiet) return { update() {}, stop() {} }
  return isInteractive(process.stderr) ? barView() : lineView()
}

function barView(): DownloadView {
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

function lineView(): DownloadView {
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
