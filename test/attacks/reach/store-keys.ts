import type { ReachAttack } from '../attack.ts'

export default {
  name: 'Keys of the shared store that are another app’s, or odd',
  layer: 'pool',
  holds: 'A key is bytes within the own app; none of them is a path, a pattern, an operator or a prototype.',
  variants: {
    'the very key': ({ sharedKey }) => `const v = cloud.shared.get(${JSON.stringify(sharedKey)}); cloud.shared.set(${JSON.stringify(sharedKey)}, 'forged'); cloud.shared.delete(${JSON.stringify(sharedKey)}); return v`,
    'keys that mean something elsewhere': ({ appid, sharedKey }) => `for (const k of ['__proto__', 'constructor', '../${appid}/${sharedKey}', '${appid}', '${appid}/${sharedKey}', '${appid}\\0${sharedKey}', '\\0', '$where', '$ne', '%', '_', "' OR 1=1 --", '*', '.', '..', '']) { if (cloud.shared.has(k)) return k; cloud.shared.set(k, { k }); if (cloud.shared.get(k)?.k !== k) return 'not kept: ' + k; cloud.shared.delete(k) } return ({}).k`,
    'keys of other types': () => `for (const k of [{ $gt: '' }, /.*/, null, undefined, NaN, 0, -0, 1n, true, ['key'], new Map()]) { const v = cloud.shared.get(k); if (v !== undefined) return String(v); caught(() => cloud.shared.set(k, 1)); cloud.shared.delete(k) }`,
    'values that pretend to be references': () => `cloud.shared.set('f', { $ref: 1, __socket: 'x', type: 'socket', id: 'x' }); const v = cloud.shared.get('f'); cloud.shared.delete('f'); return look(v, 'value')`,
    'listing all': () => `return [...cloud.shared.keys()].some((k) => k === 'seen') ? 'keys of another app' : undefined`,
    'methods of Map on the shared map': () => `for (const f of ['get', 'set', 'has', 'entries', 'forEach', 'keys']) { const got = caught(() => Map.prototype[f].call(cloud.shared, 'key', () => {})); const found = look(got, f); if (found) return found } cloud.shared.delete('key')`
  }
} satisfies ReachAttack
