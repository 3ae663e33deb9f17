/** Which options belong to which families: one that would do nothing is refused, not ignored. */

import { usageError } from '../exit.js'
import type { EmbedFlags } from '../families/family.js'
import type { FamilyName } from '../families/names.js'

type Items = 'texts' | 'images'

interface Scope {
  flags: readonly (keyof EmbedFlags)[]
  families: readonly FamilyName[]
  /** Where a family takes both, with which of them. */
  items?: Items
}

const SCOPES: readonly Scope[] = [
  { flags: ['dtype', 'dimensions', 'pooling', 'normalize'], families: ['dense', 'image'] },
  { flags: ['prompt', 'prompts', 'taskId'], families: ['dense'] },
  { flags: ['query', 'passage'], families: ['dense', 'sparse', 'late-interaction'] },
  {
    flags: ['language', 'k', 'b', 'avgLen', 'tokenMaxLength', 'disableStemmer', 'stopwords', 'alpha'],
    families: ['sparse'],
  },
  { flags: ['kind'], families: ['sparse', 'late-interaction'] },
  { flags: ['text'], families: ['multimodal'] },
  {
    flags: ['maxLength', 'overflow', 'encoding'],
    families: ['dense', 'sparse', 'late-interaction', 'multimodal'],
    items: 'texts',
  },
  { flags: ['autoOrient', 'list'], families: ['image', 'multimodal'], items: 'images' },
]

/** Throws INVALID_OPTION for the first option given that is not the family's. */
export function checkScopes(flags: EmbedFlags, family: FamilyName, items: Items): void {
  if (flags.overflow === 'chunk' && family !== 'dense') {
    throw usageError(`Expected --family dense with --overflow chunk but received '${family}'`)
  }
  for (const scope of SCOPES) {
    const given = scope.flags.find((name) => isGiven(flags, name))
    if (given === undefined) continue
    if (!scope.families.includes(family)) {
      throw usageError(
        `Expected --family ${scope.families.join(' or ')} with ${optionOf(given)} but received '${family}'`,
      )
    }
    if (scope.items !== undefined && scope.items !== items) {
      const how = scope.items === 'texts' ? 'with --text' : 'without --text'
      throw usageError(`Expected ${optionOf(given)} ${how} only: it is of no use for ${items}`)
    }
  }
}

/** Commander gives `normalize` a value of its own. */
function isGiven(flags: EmbedFlags, name: keyof EmbedFlags): boolean {
  return name === 'normalize' ? !flags.normalize : flags[name] !== undefined
}

function optionOf(name: keyof EmbedFlags): string {
  const dashed = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
  return name === 'normalize' ? '--no-normalize' : `--${dashed}`
}
