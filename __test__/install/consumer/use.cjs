/** What a user's CommonJS program does with the installed package. */
const { MillraceError, TextEmbedding } = require('millrace')
const { check } = require('./check.cjs')

check({ TextEmbedding, MillraceError })
