/** The suite under vitest's `vm` pools, on the ES modules. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import * as millrace from '../../dist/esm/index.js'
import { describeRealm } from './suite.cjs'

describeRealm({ test, expect, beforeAll, afterAll }, millrace)
