const hrefs = [
  'http://example.com', 'HTTP://EXAMPLE.com:80/../a/./b/%2e%2e/c?d=e#f', 'https://user:pa%20ss@host:8443/p a?q=\'"#frag ment', 'http://ex ample.com', 'http://[::1]:3000/x', 'http://[1:2::3:4]/',
  'http://[::127.0.0.1]', 'http://[::1', 'http://0x7f.1/', 'http://256.256.256.256/', 'http://1.2.3/', 'http://0177.0.0.1', 'http://1.2.3.4.5', 'http://example.com.', 'http://münchen.de/ä?ö#ü',
  'http://faß.de', 'http://例え.テスト/', 'http://☃.net', 'http://xn--nxasmq6b/', 'http://a\u200db.com', 'http://a%41.com', 'http://a%00b', 'http://%zz', 'ws://host/socket', 'wss://host:443/__websocket__?token=a+b%20c',
  'file:///C|/x/../y', 'file://localhost/a', 'file:c:\\d\\e', 'mailto:a@b.c', 'javascript:alert(1)', 'data:text/plain,hello world #x', 'foo://Bar/Baz', 'foo:/a/../b', 'foo://h:99999', 'http://h:65536', 'http://h:0', 'http://h:',
  '', 'a', '//a', ':', 'http:', 'http:/a', 'http:a', 'http:\\\\a\\b', ' http://a/ ', 'ht\ntp://a\t/b', 'http://a@b@c/', 'http://:@c/', 'http://a:b:c@d', 'http://@', 'about:blank', 'blob:https://a.com/id', 'blob:x', 'http://a?b?c#d#e',
  'http://a/%', 'http://a/%e4%bd', 'http://a/\ud800', 'http://a/{}|^`<>"', 'http://a?{}|^`<>"\'', 'http://a#{}|^`<>"\'', 'non-special://test:@x/', 'http://1e2', 'http://09.1', 'http://a..b', 'http://-a-.com', 'urn:isbn:123 ', 'web+demo:/.//not-a-host/'
]
const bases = ['http://a/b/c/d;p?q', 'file:///C:/x/y', 'mailto:x@y', 'foo://h/p/q', 'https://u:p@h:1/x']
const relative = ['g', './g', 'g/', '/g', '//g', '?y', 'g?y', '#s', 'g#s', ';x', '', '.', './', '..', '../', '../g', '../..', '../../g', '../../../g', '/./g', '/../g', 'g.', '..g', './../g', 'g;x=1/../y', 'http:g', 'https:g', '\\x', '//h2:80/z', 'C|/z', '/C:/z', '?', '#']
const show = '{ const { href, origin, protocol, username, password, host, hostname, port, pathname, search, hash } = u; return [href, origin, protocol, username, password, host, hostname, port, pathname, search, hash] }'

const setters: [string, string, string[]][] = [
  ['http://a:1/b?c#d', 'protocol', ['https', 'ftp:', 'foo', 'file', '', '1a', 'ws://x']],
  ['file:///x', 'protocol', ['http']],
  ['http://a:1/b', 'host', ['x', 'x:2', 'x:80', 'x:', ':2', 'x/y', '', 'x?y', '[::1]:5', '[::1', 'ex ample', 'x:9x', 'ä.de']],
  ['foo://a:1/b', 'host', ['X', '', 'x y']],
  ['http://a:1/b', 'hostname', ['x', 'x:2', '', '127.1', '[::2]', 'a@b']],
  ['http://a:1/b', 'port', ['2', '', '80', '99999', '8x', 'x', ' 9', '\t9']],
  ['http://a/b', 'pathname', ['c', '/c/../d', '', '?#', 'a b', '\\x', '%2e%2e/x', '//y']],
  ['mailto:a', 'pathname', ['b']],
  ['http://a/b?c', 'search', ['', '?', 'x=1', '?x= "\'', '#']],
  ['http://a/b#c', 'hash', ['', '#', 'x', '#x y`', '##']],
  ['http://a/b', 'username', ['u', 'a:b@c', '']],
  ['http://a/b', 'password', ['p', 'é', '']],
  ['file:///a', 'username', ['u']],
  ['http://a/b', 'href', ['http://c', 'nope']]
]

const params = ["''", "'a=1&b=2'", "'?a=1&a=2'", "'??a'", "'a=b=c&&=x&y='", "'a+b=c%20d&%zz=%e4%bd%a0'", "{ a: 1, b: [1, 2] }", "[['a', 1], ['b', 'x y&=+']]", "new Map([['k', 'v']])", "new URLSearchParams('q=1')", "[['a']]", "['ab']", "5", "null", "undefined", "Symbol()", "'你好=世界&😀=1'", "'a=\\ud800'", "[1]", "{ [Symbol.iterator]: 1 }", "'*-._~!()=' + encodeURIComponent('~!*()')"]
const edit = (code: string): string => `(() => { const p = new URLSearchParams('a=1&b=2&a=3&c=4'); ${code}; return [p.toString(), p.size] })()`

export default [
  ...hrefs.map(href => `(() => { const u = new URL(${JSON.stringify(href)}); ${show} })()`),
  ...hrefs.map(href => `[URL.canParse(${JSON.stringify(href)}), URL.parse(${JSON.stringify(href)})?.href]`),
  ...bases.flatMap(base => relative.map(href => `new URL(${JSON.stringify(href)}, ${JSON.stringify(base)}).href`)),
  ...setters.flatMap(([href, name, values]) => values.map(value => `(() => { const u = new URL('${href}'); u.${name} = ${JSON.stringify(value)}; ${show} })()`)),
  'new URL()', 'URL("http://a")', 'new URL("http://a", "nope")', 'new URL("x", undefined)', 'JSON.stringify({ u: new URL("http://a/b") })', 'String(new URL("http://a/b"))', 'Object.prototype.toString.call(new URL("http://a"))',
  '(() => { try { new URL("nope", "http://") } catch (e) { return [e instanceof TypeError, e.message, e.code, e.input] } })()',
  'Object.keys(URL.prototype).sort()', 'Object.keys(new URL("http://a"))', 'URL.name', 'URL.length',
  ...params.map(init => `(() => { const p = new URLSearchParams(${init}); return [p.toString(), [...p], p.size] })()`),
  edit("p.append('d', 'x y')"), edit("p.delete('a')"), edit("p.delete('a', '3')"), edit("p.set('a', 9)"), edit("p.set('z', 9)"), edit('p.sort()'), edit("p.append('d')"), edit('p.get()'),
  edit("for (const [k] of p) p.append('x' + k.length, '1') || p.size > 9 && p.delete('x1')"),
  "(() => { const p = new URLSearchParams('a=1&a=2&b=3'); return [p.get('a'), p.getAll('a'), p.get('z'), p.has('b'), p.has('b', '4'), p.has('b', '3'), [...p.keys()], [...p.values()], [...p.entries()]] })()",
  "(() => { const out = []; new URLSearchParams('a=1&b=2').forEach((v, k, p) => out.push([v, k, p instanceof URLSearchParams])); return out })()",
  "new URLSearchParams('a=1').forEach(5)",
  "(() => { const u = new URL('http://a?x=1'); u.searchParams.append('y', 'z z'); const a = u.href; u.search = '?q=2'; return [a, [...u.searchParams], u.searchParams === u.searchParams] })()",
  "(() => { const u = new URL('http://a?x=1'); u.searchParams.delete('x'); return u.href })()",
  "(() => { const u = new URL('http://a?x=1'); u.searchParams; u.href = 'http://b?y=2'; return [...u.searchParams] })()",
  "(() => { const u = new URL(\"http://a?x='~\"); const before = u.search; u.searchParams.sort(); return [before, u.search] })()",
  "Object.prototype.toString.call(new URLSearchParams())", "Object.prototype.toString.call(new URLSearchParams().keys())", "new URLSearchParams('a=1').entries().next()",
  ...['http://user:pass@sub.host.com:8080/p/a/t/h?query=string#hash', '/a/b?x=1&y=2#z', '/__websocket__?token=abc&room=a%20b', '//host/path', 'a/b', 'HTTP://HOST/p', 'mailto:a@b.c', 'http://a.com?x#y', 'x:1', 'http://[::1]:80/a', 'http://a b/c', 'http://ä.de/ö', 'javascript:alert(1)', 'file:///a/b', 'http://a/b c"d', '?a=1', '#h', '', 'ws://h:1', 'http:\\\\a\\b?c\\d', '/a?b=c?d', 'http://a@b@c/d', 'foo://h/p', 'coap:u@h/p']
    .flatMap(href => [`({ ...require('url').parse(${JSON.stringify(href)}) })`, `require('url').parse(${JSON.stringify(href)}, true, true).query`]),
  "require('url').format({ protocol: 'http', host: 'a.com', pathname: 'x', query: { a: 1, b: ['x', 'y'] } })", "require('url').format({ hostname: '::1', port: 80, protocol: 'http:', hash: 'h' })", "require('url').format(new URL('http://u:p@ä.com/x?y#z'), { auth: false, fragment: false, unicode: true })",
  ...[['/one/two/three', 'four'], ['http://example.com/', '/one'], ['http://example.com/one', '/two'], ['a/b', '../c'], ['http://a/b?c', '?d'], ['/x', 'http://b/c']].map(([a, b]) => `require('url').resolve('${a}', '${b}')`),
  "require('url').fileURLToPath('file:///a%20b/c')", "require('url').fileURLToPath('http://a')", "require('url').pathToFileURL('/a b#?%.txt').href", "require('url').domainToASCII('español.com')", "require('url').domainToUnicode('xn--espaol-zwa.com')", "require('url').URL === URL",
  "require('url').urlToHttpOptions(new URL('https://a:b@测试.com:81/x?y#z'))"
]
