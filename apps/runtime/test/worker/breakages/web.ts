/**
 * What a tenant does with the classes of the web, with `fetch`, `cloud.fetch`, `events` and `timers/promises`. As in tenant.ts: its own code is
 * plain syntax and what it has taken before, so lists that it hands over bring an iterator of their own.
 */
export const WEB = `
  const accessor = (prototype, name) => { const { get } = getOwnPropertyDescriptor(prototype, name); return (object) => apply(get, object, []) }
  const method = (prototype, name) => { const { value } = getOwnPropertyDescriptor(prototype, name); return (object, ...args) => apply(value, object, args) }
  const iteratorKey = Symbol.iterator
  const sequence = (...items) => ({ __proto__: null, [iteratorKey]: () => { let at = 0; return { __proto__: null, next: () => at < items.length ? { __proto__: null, done: false, value: items[at++] } : { __proto__: null, done: true, value: undefined } } } })
  const NativePromise = Promise
  /** The code of the tenant awaits, and keeps clear of what it has broken. */
  const mine = (promise) => { defineProperty(promise, 'constructor', { __proto__: null, value: NativePromise }); return promise }

  const W = { __proto__: null, URL, URLSearchParams, Blob, File, FormData, Headers, Request, Response, TextEncoder, TextDecoder, AbortController, AbortSignal, Event, EventTarget }
  const { EventEmitter, once: onceOf } = require('events')
  const { setTimeout: sleep, setImmediate: soon } = require('timers/promises')
  const webFetch = fetch, cloudFetch = cloud.fetch, cloudPost = cloud.fetch.post
  const url = { href: accessor(URL.prototype, 'href'), host: accessor(URL.prototype, 'host'), searchParams: accessor(URL.prototype, 'searchParams'), pathname: accessor(URL.prototype, 'pathname'), origin: accessor(URL.prototype, 'origin') }
  const setUrl = { hash: getOwnPropertyDescriptor(URL.prototype, 'hash').set, search: getOwnPropertyDescriptor(URL.prototype, 'search').set, host: getOwnPropertyDescriptor(URL.prototype, 'host').set, pathname: getOwnPropertyDescriptor(URL.prototype, 'pathname').set }
  const { canParse } = URL
  const search = { append: method(URLSearchParams.prototype, 'append'), set: method(URLSearchParams.prototype, 'set'), get: method(URLSearchParams.prototype, 'get'), getAll: method(URLSearchParams.prototype, 'getAll'), delete: method(URLSearchParams.prototype, 'delete'), has: method(URLSearchParams.prototype, 'has'), sort: method(URLSearchParams.prototype, 'sort'), entries: method(URLSearchParams.prototype, 'entries'), text: method(URLSearchParams.prototype, 'toString') }
  const blob = { text: method(Blob.prototype, 'text'), bytes: method(Blob.prototype, 'bytes'), slice: method(Blob.prototype, 'slice'), size: accessor(Blob.prototype, 'size'), type: accessor(Blob.prototype, 'type') }
  const encode = method(TextEncoder.prototype, 'encode'), encodeInto = method(TextEncoder.prototype, 'encodeInto'), decode = method(TextDecoder.prototype, 'decode')
  const signalOf = accessor(AbortController.prototype, 'signal'), abort = method(AbortController.prototype, 'abort'), aborted = accessor(AbortSignal.prototype, 'aborted'), reason = accessor(AbortSignal.prototype, 'reason')
  const { any } = AbortSignal
  const listenTo = method(EventTarget.prototype, 'addEventListener'), unlisten = method(EventTarget.prototype, 'removeEventListener'), dispatch = method(EventTarget.prototype, 'dispatchEvent')
  const exceptionName = accessor(DOMException.prototype, 'name'), exceptionMessage = accessor(DOMException.prototype, 'message')
  const head = { get: method(Headers.prototype, 'get'), has: method(Headers.prototype, 'has'), append: method(Headers.prototype, 'append'), forEach: method(Headers.prototype, 'forEach'), cookies: method(Headers.prototype, 'getSetCookie') }
  const form = { append: method(FormData.prototype, 'append'), get: method(FormData.prototype, 'get'), set: method(FormData.prototype, 'set'), forEach: method(FormData.prototype, 'forEach') }
  const Body = getPrototypeOf(Request.prototype)
  const bodyText = method(Body, 'text'), bodyJson = method(Body, 'json'), bodyBytes = method(Body, 'bytes'), bodyOf = accessor(Body, 'body')
  const status = accessor(Response.prototype, 'status'), responseHeaders = accessor(Response.prototype, 'headers'), cloneResponse = method(Response.prototype, 'clone')
  const requestHeaders = accessor(Request.prototype, 'headers'), requestUrl = accessor(Request.prototype, 'url')
  const Stream = getPrototypeOf(bodyOf(new Response('x'))), getReader = method(Stream, 'getReader'), readChunk = method(getPrototypeOf(new Response('x').body.getReader()), 'read')
  const emitterOn = EventEmitter.prototype.on, emitterOnce = EventEmitter.prototype.once, emitterOff = EventEmitter.prototype.off, emitterEmit = EventEmitter.prototype.emit
  // Made before: Node's constructor looks for 'EventEmitter.init', and that of the package for more.
  const emitters = [new EventEmitter(), new EventEmitter()]
  const TypeErrorPrototype = TypeError.prototype, ErrorPrototype = Error.prototype

  function urls(say) {
    const one = new W.URL('../b c?x=1&y=%20z&x=2#frag', 'https://user:pw@EXAMPLE.com:8080/a/d/')
    say('url ' + url.href(one) + ' ' + url.host(one) + ' ' + url.pathname(one) + ' ' + url.origin(one))
    const params = url.searchParams(one)
    search.append(params, 'é', 'a b')
    search.set(params, 'x', '3')
    search.delete(params, 'y')
    search.sort(params)
    let pairs = ''
    const iterator = search.entries(params)
    for (let step = iterator.next(); !step.done; step = iterator.next()) pairs += step.value[0] + '=' + step.value[1] + ';'
    say('params ' + pairs + search.text(params) + search.get(params, 'x') + search.getAll(params, 'x').length + search.has(params, 'x') + url.href(one))
    apply(setUrl.hash, one, ['#h"'])
    apply(setUrl.search, one, ['?s=1 2'])
    apply(setUrl.host, one, ['other.example:99'])
    apply(setUrl.pathname, one, ['/p/./q/../r?'])
    say('set ' + url.href(one))
    const texts = ['http://[::1:0:192.168.0.1]:80/', 'http://0x7f.1/', 'http://b\\u00fccher.example/%zz', 'file:///C|/a/../b', 'mailto:a b', 'data:,x y#z', 'http://xn--bcher-kva.example/', 'http://\\u05d0.example/', 'http://1.2.3/']
    for (let i = 0; i < texts.length; i++) say('url ' + url.href(new W.URL(texts[i])))
    say('parses ' + apply(canParse, W.URL, ['http://a b/']) + apply(canParse, W.URL, ['http://256.1.1.1/']) + apply(canParse, W.URL, ['http://[1::2::3]/']))
    try { new W.URL('nothing') } catch (error) { say('bad url ' + error.message + error.code + (getPrototypeOf(error) === TypeErrorPrototype)) }
    say('form ' + search.text(new W.URLSearchParams({ a: '1 2', b: '&' })) + search.text(new W.URLSearchParams(sequence(sequence('k', 'v'), sequence('k', 'w')))) + search.text(new W.URLSearchParams('?a=%C3%A9+&b&=c')))
  }

  function texts(say) {
    const bytes = encode(new W.TextEncoder(), 'h\\u00e9\\u20ac\\ud83d\\ude00')
    const into = encodeInto(new W.TextEncoder(), 'ab\\u20ac', new taken.Uint8Array(4))
    say('text ' + sizeOf(bytes) + decode(new W.TextDecoder(), bytes) + into.read + into.written)
    const stream = new W.TextDecoder('utf-8', { __proto__: null, fatal: false, ignoreBOM: true })
    say('text ' + decode(stream, new taken.Uint8Array(bufferOf(bytes), 0, 4), { __proto__: null, stream: true }) + decode(stream, new taken.Uint8Array(bufferOf(bytes), 4)))
    say('text ' + decode(new W.TextDecoder('latin1'), bytes) + decode(new W.TextDecoder('utf-16le'), bytes) + decode(new W.TextDecoder('utf-16be'), bytes))
    try { decode(new W.TextDecoder('utf-8', { __proto__: null, fatal: true }), broken255) } catch (error) { say('bad text ' + error.message + error.code) }
    try { new W.TextDecoder('klingon') } catch (error) { say('bad label ' + error.message + error.code) }
  }
  const bufferOf = accessor(getPrototypeOf(Uint8Array.prototype), 'buffer')
  const sizeOf = accessor(getPrototypeOf(Uint8Array.prototype), 'length')
  const broken255 = new Uint8Array([255])

  function events(say) {
    const target = new W.EventTarget()
    const listener = () => say('dispatched')
    listenTo(target, 'x', listener, { __proto__: null, once: true })
    listenTo(target, 'y', listener)
    unlisten(target, 'y', listener)
    let handled = 0
    listenTo(target, 'x', { __proto__: null, handleEvent: () => say('handled ' + ++handled) })
    dispatch(target, new W.Event('x'))
    dispatch(target, new W.Event('x'))
    const controller = new W.AbortController()
    const signal = apply(any, W.AbortSignal, [sequence(signalOf(controller), signalOf(new W.AbortController()))])
    listenTo(signal, 'abort', () => say('aborted ' + aborted(signal) + exceptionName(reason(signal)) + exceptionMessage(reason(signal))))
    abort(controller)
    abort(controller)
    const emitter = emitters[0]
    let times = 0
    const heard = (a, b) => say('heard ' + a + b + ', ' + ++times)
    apply(emitterOn, emitter, ['e', heard])
    apply(emitterOn, emitter, ['e', heard])
    apply(emitterOnce, emitter, ['e', heard])
    apply(emitterOff, emitter, ['e', heard])
    apply(emitterEmit, emitter, ['e', 1, 2])
    apply(emitterEmit, emitter, ['e', 3, 4])
    apply(emitterOff, emitter, ['e', heard])
    apply(emitterOff, emitter, ['e', heard])
  }

  async function waits(say) {
    const emitter = emitters[1]
    taken.setImmediate(() => apply(emitterEmit, emitter, ['ready', 'now']))
    say('once ' + (await mine(onceOf(emitter, 'ready')))[0])
    say('slept ' + await mine(sleep(1, 'well')) + await mine(soon('soon')))
    const controller = new W.AbortController()
    const never = mine(sleep(10_000, '', { __proto__: null, signal: signalOf(controller) }))
    abort(controller, 'enough')
    try { await never } catch (error) { say('woken ' + exceptionName(error) + error.cause) }
  }

  async function bodies(say) {
    const whole = new W.Blob(sequence('a\\u20ac', new taken.Uint8Array(2), new W.Blob(sequence('b'))), { __proto__: null, type: 'Text/Plain' })
    say('blob ' + blob.size(whole) + blob.type(whole) + await mine(blob.text(whole)) + sizeOf(await mine(blob.bytes(blob.slice(whole, 1, 3)))))
    const response = new W.Response('{"a":1}', { __proto__: null, status: 201, headers: { __proto__: null, 'X-A': ' b ' } })
    const copy = cloneResponse(response)
    say('body ' + status(response) + head.get(responseHeaders(response), 'x-a') + (await mine(bodyJson(response))).a + await mine(bodyText(copy)))
    const reader = getReader(bodyOf(new W.Response('chunk')))
    const first = await mine(readChunk(reader))
    say('read ' + sizeOf(first.value) + first.done + (await mine(readChunk(reader))).done)
    const data = new W.FormData()
    form.append(data, 'k"', 'v\\n')
    form.append(data, 'f', new W.Blob(sequence('file')), 'name.txt')
    form.set(data, 'k"', 'w')
    let names = ''
    form.forEach(data, (value, name) => { names += name })
    const request = new W.Request('https://x.example/', { __proto__: null, method: 'post', body: data })
    const sent = await mine(bodyText(request))
    say('form ' + names + sent.length + requestUrl(request) + head.get(requestHeaders(request), 'content-type').length)
    const headers = new W.Headers(sequence(sequence('B', '1'), sequence('a', '2'), sequence('b', '3'), sequence('set-cookie', 'c=1')))
    let lines = ''
    head.append(headers, 'c', 'd')
    head.forEach(headers, (value, name) => { lines += name + ':' + value + ';' })
    say('headers ' + lines + head.has(headers, 'x') + head.cookies(headers).length)
    try { new W.Headers({ __proto__: null, 'a b': 'c' }) } catch (error) { say('bad header ' + error.message) }
    try { new W.Request('https://x.example/', { __proto__: null, method: 'GET', body: 'x' }) } catch (error) { say('bad request ' + error.message) }
  }

  const tell = (error) => error.message + ' ' + error.cause?.message + ' ' + error.cause?.code + ' ' + (getPrototypeOf(error) === TypeErrorPrototype || getPrototypeOf(error) === ErrorPrototype)

  async function requests(say) {
    const controller = new W.AbortController()
    try {
      await mine(webFetch('https://192.0.2.1/a?b=c', { __proto__: null, method: 'POST', headers: { __proto__: null, 'X-H': 'v' }, body: 'the body', signal: signalOf(controller) }))
    } catch (error) { say('fetch ' + tell(error)) }
    const given = await mine(webFetch('https://answers.example/', { __proto__: null }))
    say('given ' + status(given) + head.get(responseHeaders(given), 'x-y') + await mine(bodyText(given)))
    const cut = mine(webFetch('https://silent.example/', { __proto__: null, method: 'PUT', body: broken255, signal: signalOf(controller) }))
    await null
    await null
    abort(controller)
    try { await cut } catch (error) { say('cut ' + exceptionName(error)) }
    try { await mine(cloudPost('/path', { a: 1 }, { __proto__: null, baseURL: 'https://192.0.2.1/', params: { p: 'q r' }, headers: { __proto__: null, h: '1' }, timeout: 5000 })) } catch (error) { say('cloud.fetch ' + error.message + error.code + error.isAxiosError) }
    const answer = await mine(cloudFetch('https://answers.example/json'))
    say('cloud.fetch ' + answer.status + answer.data.j)
  }

  async function useWeb(socket) {
    const say = (text) => { apply(send, socket, [text]) }
    try {
      urls(say)
      texts(say)
      events(say)
      await waits(say)
      await bodies(say)
      await requests(say)
    } catch (error) {
      say('web failed: ' + (typeof error === 'string' ? error : error.stack))
    }
    say('web done')
  }
`
