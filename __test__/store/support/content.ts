/** Sends a file as a good server does, or as a bad one would. */

import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'

export interface Misbehaviour {
  /** The connection breaks after so many bytes of this answer. */
  cutAfter?: number
  /** Nothing more comes after so many bytes. */
  stallAfter?: number
  /** The byte at this place of the file is wrong. */
  flip?: number
  /** Ranges are not understood. */
  noRange?: boolean
  /** A range begins elsewhere than asked. */
  shiftRange?: number
  /** The length is not told. */
  noLength?: boolean
  /** Bytes that are too many. */
  extra?: number
  /** Bytes come in pieces of `size`, each after `everyMs`. */
  slow?: { size: number; everyMs: number }
}

export function sendContent(
  content: Buffer,
  request: IncomingMessage,
  response: ServerResponse,
  headers: OutgoingHttpHeaders,
  bad: Misbehaviour,
): unknown {
  const range = bad.noRange === true ? undefined : /^bytes=(\d+)-$/.exec(request.headers.range ?? '')
  const condition = request.headers['if-range']
  const asked = range && (condition === undefined || condition === headers['etag']) ? Number(range[1]) : 0
  const start = asked > 0 ? asked + (bad.shiftRange ?? 0) : 0
  if (start > 0 && start >= content.length) {
    return response.writeHead(416, { 'content-range': `bytes */${content.length}` }).end()
  }
  const body = Buffer.concat([content.subarray(start), Buffer.alloc(bad.extra ?? 0, 0x2b)])
  if (bad.flip !== undefined && bad.flip >= start) body[bad.flip - start] = ~(body[bad.flip - start] ?? 0)
  const partial = start > 0 && { 'content-range': `bytes ${start}-${content.length - 1}/${content.length}` }
  const length = bad.noLength !== true && { 'content-length': body.length }
  response.writeHead(start > 0 ? 206 : 200, { 'accept-ranges': 'bytes', ...headers, ...partial, ...length })
  return request.method === 'HEAD' ? response.end() : sendBody(body, response, bad)
}

async function sendBody(body: Buffer, response: ServerResponse, bad: Misbehaviour): Promise<void> {
  const end = bad.cutAfter ?? bad.stallAfter
  const sent = body.subarray(0, end)
  if (bad.slow !== undefined) {
    for (let at = 0; at < sent.length && !response.destroyed; at += bad.slow.size) {
      response.write(sent.subarray(at, at + bad.slow.size))
      await new Promise((resolve) => setTimeout(resolve, bad.slow?.everyMs))
    }
  } else if (sent.length > 0) {
    await new Promise((resolve) => response.write(sent, resolve))
  } else {
    response.flushHeaders()
  }
  // Ended, not reset: a reset may overtake what was written.
  if (bad.cutAfter !== undefined) response.socket?.end()
  else if (bad.stallAfter === undefined) response.end()
}
