/** The comparison as an SVG bar chart that reads on light and dark pages. It knows only the results. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

const WIDTH = 760
const LABELS = 290
const BAR = 22
const GAP = 10
const TOP = 58
/** Room for the number behind the longest bar. */
const NUMBERS = 80

/** Mid tones for pages of any colour, and text that turns with the reader's preference. */
const STYLE = `
  text { font: 13px system-ui, -apple-system, 'Segoe UI', sans-serif; fill: #24292f }
  .title { font-size: 16px; font-weight: 600 }
  .note { font-size: 12px; fill: #57606a }
  .ours { fill: #0a7d5a }
  .best { fill: #8a94a0 }
  .usual { fill: #c3c9d0 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .note { fill: #9198a1 }
    .ours { fill: #2fb98a }
    .best { fill: #7d8690 }
    .usual { fill: #4f565e }
  }`

const escaped = (text) => text.replace(/[&<>]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[c])

/** One bar per contestant on the fp32 model as it comes, and one at its best batch size where that is another. */
function barsOf({ rows }) {
  const fp32 = rows.filter((row) => row.model === 'fp32')
  return [...new Set(fp32.map((row) => row.id))].flatMap((id) => {
    const own = fp32.filter((row) => row.id === id)
    const best = own.reduce((a, b) => (b.textsPerSecond > a.textsPerSecond ? b : a))
    if (id === 'millrace') return [{ label: best.label, kind: 'ours', value: best.textsPerSecond }]
    const usual = own.find((row) => row.usual)
    const bars = [
      { label: `${best.label}, batch ${best.batch || 'default'}`, kind: 'best', value: best.textsPerSecond },
    ]
    if (usual !== undefined && usual !== best) {
      const batch = usual.batch === 0 ? 'default' : `batch ${usual.batch}`
      bars.push({ label: `${usual.label}, ${batch}`, kind: 'usual', value: usual.textsPerSecond })
    }
    return bars
  })
}

/** Writes the chart. */
export function writeChart(result, path) {
  const bars = barsOf(result)
  const most = Math.max(...bars.map((bar) => bar.value))
  const scale = (WIDTH - LABELS - NUMBERS) / most
  const height = TOP + bars.length * (BAR + GAP) + 34
  const lines = bars.map(({ label, kind, value }, i) => {
    const y = TOP + i * (BAR + GAP)
    const width = Math.max(1, value * scale).toFixed(1)
    const middle = y + BAR / 2 + 4.5
    return (
      `  <text x="${LABELS - 10}" y="${middle}" text-anchor="end">${escaped(label)}</text>\n` +
      `  <rect class="${kind}" x="${LABELS}" y="${y}" width="${width}" height="${BAR}" rx="3"/>\n` +
      `  <text x="${(LABELS + Number(width) + 8).toFixed(1)}" y="${middle}">${value.toFixed(0)}</text>`
    )
  })
  const title = `Texts per second, ${result.cores} cores`
  const what = `${result.texts} package descriptions of at most ${result.limit} tokens, all-MiniLM-L6-v2 fp32; longer is better`
  const machine = `${result.cpu}, ${result.date.slice(0, 10)}; npm run bench:rivals`
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escaped(title)}">
  <style>${STYLE}
  </style>
  <text class="title" x="12" y="24">${escaped(title)}</text>
  <text class="note" x="12" y="43">${escaped(what)}</text>
${lines.join('\n')}
  <text class="note" x="12" y="${height - 10}">${escaped(machine)}</text>
</svg>
`
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, svg)
}
