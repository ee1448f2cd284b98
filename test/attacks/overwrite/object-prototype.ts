import type { OverwriteAttack } from '../attack.ts'

const NAMES = `['get', 'set', 'value', 'then', 'toJSON', 'length', 'name', 'message', 'stack', 'cause', 'type', 'flags', 'gateway', 'connection', 'sequence', 'start', 'end', 'offset', 'bytes', 'words', 'data', 'code', 'reason', 'headers', 'status', 'body', 'protocol', 'binary', 'except', 'next', 'done', 'socket', 'method', 'requestId', 'function', 'version', 'handler', 'timer', 'rooms', 'paused', 'hasData', 'accept', 'writable', 'enumerable', 'configurable', '0', '1', 'a']`
const pollute = (descriptor: string): string => `{ const { defineProperty } = Reflect; for (const name of ${NAMES}) if (!(name in Object.prototype)) { const d = ${descriptor}; defineProperty(Object.prototype, name, d) } }`
/** Descriptors are written without a prototype, as \`get\` and \`value\` of Object.prototype would be taken for theirs. */
const bare = (fields: string): string => `{ __proto__: null, ${fields} }`

export default {
  name: 'Object.prototype with properties that everything inherits',
  layer: 'guest',
  holds: 'What the guest looks up stands on its objects themselves, or on objects that inherit nothing; what it writes reaches no setter of the tenant.',
  variants: {
    'values': pollute(bare(`value: 'polluted', writable: true, configurable: true`)),
    'values that cannot be written': pollute(bare(`value: 'polluted', writable: false, configurable: false`)),
    'functions': pollute(bare(`value: function () { throw new Error('polluted') }, writable: true, configurable: true`)),
    'getters and setters that throw': pollute(bare(`get() { throw new Error('polluted') }, set(v) { throw new Error('polluted') }, configurable: true`)),
    'setters that swallow': pollute(bare(`get() { return undefined }, set(v) {}, configurable: true`)),
    'numbers': pollute(bare(`value: 4294967295, writable: true, configurable: true`))
  }
} satisfies OverwriteAttack
