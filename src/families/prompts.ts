/**
 * Which prompt a role gets. What a registered model's card says is data of the registry; writing a prompt before the text,
 * and counting it, is the native side's.
 */

import type { NativeModelInfo } from '../binding/types.js'
import type { RolePrompts } from '../models/registry.js'
import type { Prompts } from '../options/text.js'

/** What a text is to the search: the roles of `embed`, `queryEmbed` and `passageEmbed`. */
export type Role = 'text' | 'query' | 'passage'

/** Names that sentence-transformers configurations give a role's prompt, the commonest first. */
const NAMES: Readonly<Record<Role, readonly string[]>> = {
  text: [],
  query: ['query'],
  passage: ['passage', 'document'],
}

/**
 * The prompt, or `undefined` for none. With `auto`, what the registry says of the model (`registered`) is all there is to
 * say of queries and passages; without it, and for the role `text`, the directory's configuration counts.
 */
export function choosePrompt(
  prompts: 'none' | 'auto' | Prompts | undefined,
  role: Role,
  info: Pick<NativeModelInfo, 'prompts' | 'defaultPromptName'>,
  registered?: RolePrompts,
): string | undefined {
  if (prompts === undefined || prompts === 'none') return undefined
  const given = prompts === 'auto' ? registered : prompts
  if (given !== undefined && role !== 'text') return given[role]
  if (prompts !== 'auto') return undefined
  const fallback = info.defaultPromptName === undefined ? [] : [info.defaultPromptName]
  const name = [...NAMES[role], ...fallback].find((candidate) => Object.hasOwn(info.prompts, candidate))
  return name === undefined ? undefined : info.prompts[name]
}
