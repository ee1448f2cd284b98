/**
 * Node's modules that most apps do not use. In the guest they stand in a function of their own (snapshot/bundle.ts): what is
 * made at the top level of the others is in each isolate, and twice, since isolated-vm makes a context that nobody uses.
 */
export { assert, strict } from './assert.ts'
export { hashing } from './hashing.ts'
export { urlModule } from './url.ts'
export { util } from './util.ts'
export { default as punycode } from 'unenv/node/punycode'
export { default as querystring } from 'unenv/node/querystring'
