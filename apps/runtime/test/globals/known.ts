/** Where we differ from Node and know it: the expression, and what we give. The reason stands above each group. */
const log = (code: string): string => `(() => { const out = []; ${code}; return out })()`

export const known: ReadonlyMap<string, string> = new Map([
  // Node takes the low byte of characters that base64 does not have; we pass over them, as the documentation says.
  ["[...Buffer.from('接收到的信息', 'base64')]", '[]'],
  ["[...Buffer.from('接收到的信息', 'base64url')]", '[]'],
  // Node calls a listener that was added while the event was dispatched; the DOM Standard does not.
  [log("const t = new EventTarget(); t.addEventListener('a', () => { out.push(1); t.addEventListener('a', () => out.push(2)) }); t.dispatchEvent(new Event('a')); out.push('-'); t.dispatchEvent(new Event('a'))"), '[1,"-",1,2]'],
  // The standard's error, where Node throws one of its own; and the standard's constants.
  [log("const t = new EventTarget(); const e = new Event('a'); t.addEventListener('a', () => { try { t.dispatchEvent(e) } catch (x) { out.push(x.name) } }); t.dispatchEvent(e)"), '["InvalidStateError"]'],
  ["new Event('a').BUBBLING_PHASE", '3'],
  // Plain JavaScript cannot tell a Proxy, nor what a promise holds.
  ['inspect(new Proxy({ a: 1 }, {}))', '"{ a: 1 }"'],
  ['inspect(new Proxy([1], {}))', '"[ 1 ]"'],
  ['inspect(Promise.resolve(1))', '"Promise {}"'],
  // path-browserify throws without a code.
  ["require('path').join(5)", '"throws TypeError "'.slice(1, -1)]
])
