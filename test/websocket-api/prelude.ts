import type { Row } from './row.ts'

/**
 * What a function has to tell goes to an observer: a second client, so that it arrives in order and also when
 * the socket in question is closed.
 */
const PRELUDE = `
let observer = null
let early = []
let onCommand = (text) => {}

function report(...values) {
  const text = JSON.stringify(show(values.length === 1 ? values[0] : values))
  if (observer === null) early.push(text)
  else observer.send(text)
}

function thrown(action) {
  try {
    action()
    return 'nothing'
  } catch (error) {
    return show(error)
  }
}

/** Without the text: that of Node's own errors is Node's, not that of ws. */
function thrownKind(action) {
  return thrown(action).split(':')[0]
}

function show(value) {
  if (value === undefined) return 'undefined'
  if (typeof value === 'function') return 'function ' + value.name
  if (typeof value !== 'object') return value === value && typeof value !== 'bigint' && typeof value !== 'symbol' ? value : String(value)
  if (value === null) return null
  if (value instanceof Error) return value.name + (value.code === undefined ? '' : ' ' + value.code) + ': ' + value.message
  if (Buffer.isBuffer(value)) return 'Buffer ' + value.toString()
  if (value instanceof ArrayBuffer) return 'ArrayBuffer ' + Buffer.from(value).toString()
  if (Array.isArray(value)) return value.map(show)
  if (typeof value.terminate === 'function') return 'socket'
  const entries = Object.entries(value)
  return Object.fromEntries(entries.map(([name, member]) => [name, show(member)]))
}

export function main(ctx) {
  const method = ctx.method.replace('WebSocket:', '')
  if (method === 'connection' && ctx.headers['x-observer'] === 'yes') {
    observer = ctx.socket
    for (const text of early.splice(0)) observer.send(text)
  } else if (ctx.socket !== observer) return handle(ctx, method, ctx.socket)
  else if (method === 'message') onCommand(ctx.params.data.toString())
}
`

/** The function of a row, as a tenant would write it. */
export function sourceOf({ top = '', source }: Row): string {
  return `${top}\nfunction handle(ctx, method, socket) {\n${source}\n}\n${PRELUDE}`
}
