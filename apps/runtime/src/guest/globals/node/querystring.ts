export { default as querystring } from 'unenv/node/querystring'
