/**
 * What the guest does look at though a tenant could have broken it, and why that is right. By the names of properties: `*.x` is x of any object.
 * `inspect` of Node asks a value for what it says of itself, so a log line is different where that is broken; nothing else is, which a test of
 * its own looks at (ASKED).
 */
export const ALLOWED: Record<string, string> = {
  '*.[Symbol(Symbol.toStringTag)]': 'inspect shows the tag of a value, as in Node',
  '*.[Symbol(nodejs.util.inspect.custom)]': 'inspect lets a value show itself, as in Node',
  '*.constructor': 'inspect calls a value by the name of its class, as in Node',
  '*.name': 'the same; and an error is called by its name',
  'EventEmitter.prototype.on': 'a socket is an EventEmitter: its own `on` calls that of its class’s parent, as the one of ws is',
  'EventEmitter.prototype.removeListener': 'a listener that `once` has added takes itself off by it, as in Node',
  'EventEmitter.prototype.emit': 'ws emits on the socket itself, so that a function may intercept it',
  'WebSocket.prototype.emit': 'the same'
}

/** What is asked for all the same where the names above are broken too. The app must go on nevertheless, and only its log may differ. */
export const ASKED: { label: RegExp; because: string }[] = [
  { label: /^Promise\.prototype\.constructor$/, because: 'the promise of a handler is awaited, as anybody who awaits a promise of the tenant does; none of ours is' },
  { label: /^Buffer\.prototype\.(constructor|\[Symbol\(nodejs\.util\.inspect\.custom\)\])$/, because: 'a Buffer shows itself, by the name of its class, as in Node' },
  { label: /\.\[Symbol\(Symbol\.toStringTag\)\]$/, because: 'inspect shows the tag of a value, as in Node' },
  { label: /^(?!.*prototype)[\w.]+\.name$/, because: 'inspect calls a value by the name of its class' },
  { label: /^(Type)?Error\.prototype\.name$/, because: 'an error in the log is called by its name' }
]
