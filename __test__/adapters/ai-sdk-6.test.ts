/** The adapter in the oldest AI SDK that is supported. */
import * as sdk from 'ai'
import * as adapter from '../../src/adapters/ai-sdk.js'
import { describeAiSdk } from './ai-sdk.js'

describeAiSdk(6, sdk, adapter)
