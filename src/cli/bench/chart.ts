/** Bars as an SVG that reads on light and dark pages. It knows nothing of what the numbers are. */

/** A bar and the number behind it. */
export interface Bar {
  label: string
  value: number
  text: string
}

/** Bars of one unit, scaled to the longest. */
export interface BarGroup {
  title: string
  bars: readonly Bar[]
}

const WIDTH = 760
const LABELS = 230
/** Room for the number behind the longest bar. */
const NUMBERS = 130
const BAR = 20
const GAP = 8
const TITLE = 34
const HEAD = 58
const FOOT = 28

/** Characters of a label and of a note that fit beside the bars and on the page. */
const LABEL_CHARACTERS = 34
const NOTE_CHARACTERS = 110

/** Mid tones for pages of any colour, and text that turns with the reader's preference. */
const STYLE = `
  text { font: 13px system-ui, -apple-system, 'Segoe UI', sans-serif; fill: #24292f }
  .title { font-size: 16px; font-weight: 600 }
  .group { font-weight: 600 }
  .note { font-size: 12px; fill: #57606a }
  rect { fill: #0a7d5a }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .note { fill: #9198a1 }
    rect { fill: #2fb98a }
  }`

/** The picture. */
export function chart(title: string, note: string, foot: string, groups: readonly BarGroup[]): string {
  const lines: string[] = []
  let y = HEAD
  for (const group of groups) {
    y += TITLE - 12
    lines.push(text('group', 12, y, group.title))
    y += 12
    const most = Math.max(...group.bars.map(({ value }) => value), Number.MIN_VALUE)
    for (const bar of group.bars) {
      const width = Math.max(1, (bar.value / most) * (WIDTH - LABELS - NUMBERS))
      const middle = y + BAR / 2 + 4.5
      lines.push(
        text('', LABELS - 10, middle, cut(bar.label, LABEL_CHARACTERS), 'end'),
        `  <rect x="${LABELS}" y="${y}" width="${width.toFixed(1)}" height="${BAR}" rx="3"/>`,
        text('', LABELS + width + 8, middle, bar.text),
      )
      y += BAR + GAP
    }
  }
  const height = y + FOOT
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escaped(title)}">
  <style>${STYLE}
  </style>
${text('title', 12, 24, cut(title, NOTE_CHARACTERS / 1.4))}
${text('note', 12, 43, cut(note, NOTE_CHARACTERS))}
${lines.join('\n')}
${text('note', 12, height - 10, cut(foot, NOTE_CHARACTERS))}
</svg>
`
}

function text(kind: string, x: number, y: number, content: string, anchor = 'start'): string {
  const style = kind === '' ? '' : ` class="${kind}"`
  return `  <text${style} x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}">${escaped(content)}</text>`
}

const escaped = (content: string): string =>
  content.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c] ?? c)

const cut = (content: string, most: number): string =>
  content.length <= most ? content : `${content.slice(0, Math.floor(most) - 1)}…`
