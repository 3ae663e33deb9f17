/** The suite under Jest, on the CommonJS build. */
const { describeRealm } = require('./suite.cjs')

describeRealm({ test, expect, beforeAll, afterAll }, require('../../dist/cjs/index.js'))
