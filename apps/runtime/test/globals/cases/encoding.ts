const bytes = ['[]', '[0x61]', '[0xef, 0xbb, 0xbf, 0x61]', '[0xe4, 0xbd, 0xa0, 0xe5]', '[0xff]', '[0xf0, 0x90, 0x80]', '[0xed, 0xa0, 0x80]', '[0xfe, 0xff, 0x00, 0x61]', '[0xff, 0xfe, 0x61, 0x00]', '[0x00, 0xd8]', '[0x00, 0xd8, 0x61, 0x00]', '[0x3d, 0xd8, 0x00, 0xde]', '[0x61, 0x00, 0x62]', '[0x80, 0x99, 0xe9, 0x8d]']
const labels = ['utf-8', 'UTF8', ' utf-8 ', 'unicode-1-1-utf-8', 'utf-16', 'utf-16le', 'utf-16be', 'latin1', 'windows-1252', 'ascii', 'iso-8859-1']
const stream = (label: string, chunks: string): string => `(() => { const d = new TextDecoder('${label}'); return [...${chunks}.map(c => d.decode(new Uint8Array(c), { stream: true })), d.decode()] })()`

export default [
  ...labels.flatMap(label => bytes.map(list => `new TextDecoder('${label}').decode(new Uint8Array(${list}))`)),
  ...['utf-8', 'utf-16le'].flatMap(label => bytes.map(list => `new TextDecoder('${label}', { fatal: true }).decode(new Uint8Array(${list}))`)),
  ...['utf-8', 'utf-16le', 'utf-16be'].flatMap(label => bytes.map(list => `new TextDecoder('${label}', { ignoreBOM: true }).decode(new Uint8Array(${list}))`)),
  ...labels.map(label => `(() => { const d = new TextDecoder('${label}'); return [d.encoding, d.fatal, d.ignoreBOM] })()`),
  "new TextDecoder('nope')", "new TextDecoder('')", "new TextDecoder('utf-8', null).encoding", 'new TextDecoder().decode()', "new TextDecoder().decode('x')", 'new TextDecoder().decode(new Uint8Array([97, 98]).buffer)', 'new TextDecoder().decode(new DataView(new Uint8Array([97, 98, 99]).buffer, 1))', 'new TextDecoder().decode(new Uint16Array([25185]))',
  stream('utf-8', '[[0xe4], [0xbd], [0xa0]]'), stream('utf-8', '[[0xf0, 0x9f], [0x98, 0x80, 0x61]]'), stream('utf-8', '[[0xe4, 0xbd]]'), stream('utf-8', '[[0xe4], [0x61]]'), stream('utf-8', '[[0xef], [0xbb], [0xbf, 0x61], [0xef, 0xbb, 0xbf]]'), stream('utf-8', '[[], [0xef, 0xbb, 0xbf], []]'), stream('utf-8', '[[0xf0], [0x80], [0x80]]'), stream('utf-8', '[[0xc0], [0xaf]]'),
  stream('utf-16le', '[[0x61], [0x00, 0x3d], [0xd8], [0x00, 0xde]]'), stream('utf-16le', '[[0x3d, 0xd8], [0x61, 0x00]]'), stream('utf-16be', '[[0xfe], [0xff, 0x00], [0x61]]'), stream('windows-1252', '[[0x80], [0x81]]'),
  "(() => { const d = new TextDecoder('utf-8', { fatal: true }); try { d.decode(new Uint8Array([255])) } catch {} return d.decode(new Uint8Array([97])) })()",
  "(() => { const d = new TextDecoder(); d.decode(new Uint8Array([0xe4]), { stream: true }); return d.decode(new Uint8Array([0xbd, 0xa0])) })()",
  ...["''", "'abc'", "'é你😀'", "'\\ud800'", "'\\udc00\\ud800'", '5', 'null', 'undefined', '{}'].map(text => `[...new TextEncoder().encode(${text})]`),
  ...[0, 1, 2, 3, 4, 5, 6, 7, 10].map(size => `(() => { const t = new Uint8Array(${size}); return [new TextEncoder().encodeInto('aé你😀', t), ...t] })()`),
  "new TextEncoder().encodeInto('a', [])", 'new TextEncoder().encoding', 'Object.prototype.toString.call(new TextEncoder())', 'new TextEncoder().encode("x").constructor === Uint8Array',
  ...["''", "'a'", "'ab'", "'hello'", "'\\xff\\x00'", "'é'", "'你'", 'null', '12'].map(text => `btoa(${text})`), 'btoa()', 'atob()',
  ...["''", "'YQ=='", "'YQ'", "'YWI='", "'YWJj'", "' Y W J j '", "'Y'", "'YQ='", "'Y=Q='", "'YQ==='", "'=='", "'Y_-a'", "'/+8='", 'null', "'YR=='", '12'].map(text => `atob(${text})`),
  "(() => { try { atob('*') } catch (e) { return [e.name, e.code, e instanceof DOMException, e.message] } })()"
]
