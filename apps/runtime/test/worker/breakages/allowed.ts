/**
 * What the guest does look at though a tenant could have broken it, and why that is right. By the names of properties: `*.x` is x of any object.
 * `inspect` of Node asks a value for what it says of itself, so a log line is different where that is broken; nothing else is.
 */
export const ALLOWED: Record<string, string> = {
  '*.[Symbol(Symbol.toStringTag)]': 'inspect shows the tag of a value, as in Node',
  '*.[Symbol(nodejs.util.inspect.custom)]': 'inspect lets a value show itself, as in Node',
  '*.constructor': 'inspect calls a value by the name of its class, as in Node',
  '*.name': 'the same; and an error is called by its name',
  '*.message': 'an error says what its message is',
  '*.toString': 'a value that is made a text by console.log("%s") or as the key of an object is asked for it, as in Node',
  '*.[Symbol(Symbol.toPrimitive)]': 'the same',
  '*.valueOf': 'the same',
  '*.toJSON': 'JSON.stringify asks values for it, as in Node: of what a function returns, and of what %j shows',
  '*.then': 'a promise of the tenant that its handler returns is a thenable if it is no promise of V8’s, as in Node',
  '*.[Symbol(Symbol.hasInstance)]': 'a class may say what its instances are',
  'EventEmitter.prototype.on': 'a socket is an EventEmitter: its own `on` calls that of its class’s parent, as the one of ws is',
  'EventEmitter.prototype.emit': 'ws emits on the socket itself, so that a function may intercept it',
  'WebSocket.prototype.emit': 'the same'
}

/** Constructors that are asked for. The app must go on nevertheless. */
export const ASKED: Record<string, string> = {
  'Promise.prototype.constructor': 'the promise of a handler is awaited, as anybody who awaits a promise of the tenant does; none of ours is',
  'Buffer.prototype.constructor': 'a Buffer shows itself by the name of its class, as in Node'
}
