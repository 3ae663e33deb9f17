/** Stores and frameworks beside the installed package, through its ES modules. */
import * as millrace from 'millrace'
import * as aiSdk from 'millrace/ai-sdk'
import * as lancedb from 'millrace/lancedb'
import * as langchain from 'millrace/langchain'
import { checkFrameworks, checkWithPackages } from './stores.cjs'

await checkWithPackages(millrace)
await checkFrameworks({ langchain, aiSdk, lancedb })
