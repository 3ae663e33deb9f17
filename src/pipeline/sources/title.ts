/** What a page is called: its `<title>` or its first heading. It reads enough of Markdown not to take a comment in code for a heading. */

import { cleanText } from '../../text/prepare.js'
import type { TextFormat } from '../document.js'

/** A title that comes later is none. */
const WITHIN = 64 * 1024

/** Takes markup away and changes nothing else. */
const MARKUP_ONLY = { normalization: 'none', typography: false, invisible: false } as const

/** The title of a page, in one line. */
export async function titleOf(text: string, format: TextFormat): Promise<string | undefined> {
  const start = text.slice(0, WITHIN)
  const found = format === 'markdown' ? headingOf(start) : format === 'html' ? titleOfHtml(start) : undefined
  if (found === undefined || format === 'text') return undefined
  const plain = await cleanText(found, { ...MARKUP_ONLY, format })
  return plain.replace(/\s+/g, ' ').trim() || undefined
}

/** The markup in the first `<title>`, else in the first `<h1>`. */
function titleOfHtml(html: string): string | undefined {
  const visible = html.replace(/<!--[\s\S]*?-->|<(svg|script|style)\b[\s\S]*?<\/\1\s*>/gi, '')
  const title = /<title[^>]*>([\s\S]*?)<\/title>/i.exec(visible)?.[1]
  if (title !== undefined && title.trim() !== '') return title.replaceAll('<', '&lt;')
  return /<h1\b[^>]*>([\s\S]*?)<\/h1>/i.exec(visible)?.[1]
}

/** The first heading outside of code and comments: `# Title`, or a line that is underlined with `===` or `---`. */
function headingOf(markdown: string): string | undefined {
  let fence: string | undefined
  let paragraph: string[] = []
  for (const line of markdown.replace(/<!--[\s\S]*?-->/g, '').split(/\r?\n/)) {
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1]
    if (fence !== undefined) {
      const closes =
        mark !== undefined && mark[0] === fence[0] && mark.length >= fence.length && line.trim() === mark
      if (closes) fence = undefined
      continue
    }
    if (mark !== undefined) {
      fence = mark
      paragraph = []
      continue
    }
    const heading = /^ {0,3}#{1,6}(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$/.exec(line)
    if (heading !== null) {
      if ((heading[1] ?? '') !== '') return heading[1]
      paragraph = []
    } else if (paragraph.length > 0 && /^ {0,3}(?:=+|-+)[ \t]*$/.test(line)) {
      return paragraph.join(' ')
    } else if (line.trim() === '' || /^ {0,3}(?:>|[-*+] |\d+[.)] |<|\||(?:[-*_] *){3,}$)/.test(line)) {
      paragraph = []
    } else if (paragraph.length > 0 || !/^(?: {4}|\t)/.test(line)) {
      paragraph.push(line.trim())
    }
  }
  return undefined
}
