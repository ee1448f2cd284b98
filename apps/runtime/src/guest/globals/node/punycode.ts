export { default as punycode } from 'unenv/node/punycode'
