/**
 * No `instanceof` decides about a value that others may have made. It is false for arrays and errors of another realm, which Jest and
 * vitest's `vm` pools bring, and for objects of the other of this package's two builds.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'

const ROOT = join(import.meta.dirname, '..', '..')

/** Classes that `instanceof` may be asked about, each with the reason why it answers right. */
const ALLOWED: Readonly<Record<string, string>> = {
  MillraceError: 'it has a `Symbol.hasInstance` that knows errors of every copy of the package',
  HubFailure: 'it never leaves the downloader that throws it',
  CallbackError: 'it never leaves the resolver that throws it',
  LockLost: 'it is the reason of a signal that the same module listens to',
  UnreadItem: 'it never leaves the stream that puts it in the place of an item',
  TierTimeout: 'it never leaves the tier that throws it',
  NoText: 'it stands for text in the rows of one reader and never leaves it',
  Interrupted: 'the command line throws and catches it in one program',
  CommanderError: 'the command line has one copy of commander, which makes and throws it',
}

/** `file:line: expression` of each `instanceof` about another class. */
function foreignQuestions(file: string, text: string): string[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true)
  const found: string[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.InstanceOfKeyword) {
      if (!Object.hasOwn(ALLOWED, node.right.getText(source))) {
        const { line } = source.getLineAndCharacterOfPosition(node.getStart(source))
        found.push(`${file}:${line + 1}: ${node.getText(source)}`)
      }
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

describe('instanceof', () => {
  const names = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
  const files = names.filter((name) => /\.c?ts$/.test(name)).map((name) => join(ROOT, 'src', name))

  it('is asked about classes that never come from elsewhere', () => {
    expect(files.length).toBeGreaterThan(100)
    const found = files.flatMap((file) =>
      foreignQuestions(relative(ROOT, file).split(sep).join('/'), readFileSync(file, 'utf8')),
    )
    expect(found, 'use src/base/foreign.ts, or add the class above with its reason').toEqual([])
  })

  it('is found by this test', () => {
    const text = 'if (a instanceof Float32Array || b instanceof MillraceError) f()'
    expect(foreignQuestions('a.ts', text)).toEqual(['a.ts:1: a instanceof Float32Array'])
  })
})
