/** How much of a text is shown on terminals of every width. */
import { expect, it } from 'vitest'
import { textWidth } from '../../src/cli/terminal.js'

const terminal = (columns: number, isTTY = true) => ({ columns, isTTY }) as NodeJS.WriteStream

it('shows the beginning of a text on a narrow terminal, and all of it where the width is unknown', () => {
  expect(textWidth(terminal(80), 14)).toBe(66)
  for (const columns of [1, 5, 15, 20]) expect(textWidth(terminal(columns), 14)).toBe(20)
  expect(textWidth(terminal(0), 14)).toBeUndefined()
  expect(textWidth(terminal(80, false), 14)).toBeUndefined()
})
