/** The adapter in the newest AI SDK: version 7 wraps models of specification v3 in a Proxy. */
import { vi } from 'vitest'
import { type AiSdk, describeAiSdk } from './ai-sdk.js'

// The adapter imports what a project with `ai` 7 has under this name.
vi.mock('@ai-sdk/provider', () => import('ai-sdk-provider-4'))

const sdk = (await import('ai-7')) as unknown as AiSdk
const adapter = await import('../../src/adapters/ai-sdk.js')
describeAiSdk(7, sdk, adapter)
