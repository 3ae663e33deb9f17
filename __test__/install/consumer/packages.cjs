/** Stores and frameworks beside the installed package, through CommonJS. */
const { checkFrameworks, checkWithPackages } = require('./stores.cjs')

async function main() {
  await checkWithPackages(require('millrace'))
  await checkFrameworks({
    langchain: require('millrace/langchain'),
    aiSdk: require('millrace/ai-sdk'),
    lancedb: require('millrace/lancedb'),
  })
}
main().catch((error) => {
  console.error(error)
  process.exitCode = 1
})
