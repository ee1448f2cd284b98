import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BadRequest } from '../../src/guest/bad-request.ts'
import { readMultipart } from '../../src/guest/multipart.ts'
import { makeHarness, type Harness, type TestApp } from './harness.ts'
import { call } from './http.ts'

const TYPE = 'multipart/form-data; boundary=b'
const read = (body: string | Uint8Array, type = TYPE) => readMultipart(type, Buffer.from(body as string))

/** Heads and contents as a body with the boundary `b`. */
const bodyOf = (...parts: [head: string, content: string][]): string => `${parts.map(([head, content]) => `--b\r\n${head}\r\n\r\n${content}\r\n`).join('')}--b--\r\n`
const field = (name: string, more = ''): string => `Content-Disposition: form-data; name="${name}"${more}`
const file = (fileName: string, type = 'text/plain'): string => `${field('f', `; filename="${fileName}"`)}\r\nContent-Type: ${type}`

describe('fields', () => {
  it('are texts, of whatever is in them', () => {
    expect(read(bodyOf([field('a'), '1'], [field('b'), ''], [field('c'), 'é\r\n--\r\n--x\r\n\r\nline'], [`${field('d')}\r\nContent-Type: text/html; charset=utf-8`, '<p>']))).toEqual({
      fields: { a: '1', b: '', c: 'é\r\n--\r\n--x\r\n\r\nline', d: '<p>' },
      files: []
    })
  })

  it('nest and repeat as those of a form, and are not decoded', () => {
    const { fields } = read(bodyOf([field('a[b][c]'), '1'], [field('a[d][]'), '2'], [field('n'), '3'], [field('n'), '4'], [field('%5B+%22'), '%20+%22'], [field('[]'), '5'], [field('__proto__[x]'), '6'], [field('__proto__'), '7'], [field('hasOwnProperty'), '8']))
    expect(fields).toEqual({ a: { b: { c: '1' }, d: ['2'] }, n: ['3', '4'], '%5B+"': '%20+%22', '[]': '5', x: '6', hasOwnProperty: '8' })
    expect(Object.getPrototypeOf(fields)).toBe(Object.prototype)
  })
})

describe('files', () => {
  it('are what multer makes of them, with their bytes', () => {
    const bytes = Buffer.concat([Buffer.from(`--b\r\n${file('ü 1.png', 'image/PNG; x=y')}\r\nContent-Transfer-Encoding: BINARY\r\n\r\n`), Buffer.of(0, 13, 10, 255, 13, 10, 45, 45), Buffer.from(`\r\n--b\r\n${field('a')}\r\n\r\n1\r\n--b--`)])
    const { fields, files } = read(bytes)
    expect(fields).toEqual({ a: '1' })
    expect(files).toEqual([{ fieldname: 'f', originalname: 'ü 1.png', encoding: 'binary', mimetype: 'image/png', size: 8, buffer: expect.anything() }])
    expect([...files[0]!.buffer]).toEqual([0, 13, 10, 255, 13, 10, 45, 45])
    expect(Array.isArray(files)).toBe(true)
  })

  it('may be empty, and of one name', () => {
    const { files } = read(bodyOf([file('a'), ''], [file('b'), 'x']))
    expect(files.map(({ fieldname, originalname, size }) => [fieldname, originalname, size])).toEqual([['f', 'a', 0], ['f', 'b', 1]])
    expect(read(`--b\r\n${file('a')}\r\n\r\n--b--`).files).toMatchObject([{ size: 0 }])
  })

  it('are not made by what stands in quotes', () => {
    expect(read(bodyOf([field('a; filename=b'), '1'], [field('\\"; filename=\\"b'), '2']))).toEqual({ fields: { 'a; filename=b': '1', '"; filename="b': '2' }, files: [] })
  })

  it('that were not chosen are left out', () => {
    expect(read(bodyOf([file('', 'application/octet-stream'), '']))).toEqual({ fields: {}, files: [] })
  })

  it.each([
    ['../../etc/passwd', 'passwd'],
    ['C:\\\\fakepath\\\\a.txt', 'a.txt'],
    ['C:\\fakepath\\a.txt', 'a.txt'],
    ['a\\"b.txt', 'a"b.txt'],
    ['a;b=c.txt', 'a;b=c.txt'],
    ['%22 50% %0D%0A%41.txt', '" 50% \r\n%41.txt'],
    ['..\u0000', '..\u0000']
  ])('named %j are called %j', (written, name) => {
    expect(read(bodyOf([file(written), 'x'])).files[0]!.originalname).toBe(name)
  })

  it('may bring a name in UTF-8 beside another (RFC 8187)', () => {
    const named = (parameters: string) => read(bodyOf([field('f', parameters), 'x'])).files[0]?.originalname
    expect(named(`; filename="x"; filename*=UTF-8''%C3%A4%2Fb`)).toBe('b')
    expect(named(`; filename*=utf-8''%C3%A4`)).toBe('ä')
    expect(named(`; filename*=utf-8''%C3; filename=plain`)).toBe('plain')
    expect(named(`; filename*=latin1''%E4; filename=plain`)).toBe('plain')
  })

  it('without a name are left out, whatever is in them', () => {
    for (const part of [file('..'), file('.'), file('a/'), `${field('f')}\r\nContent-Type: application/octet-stream`]) expect(read(bodyOf([part, 'x']))).toEqual({ fields: {}, files: [] })
    expect(read(bodyOf([file(''), 'x']))).toEqual({ fields: { f: 'x' }, files: [] })
  })
})

describe('the syntax', () => {
  it.each([
    ['no parts', '--b--'],
    ['no parts, and an end', '--b--\r\n'],
    ['something in front and behind', `preamble\r\n--b\r\n${field('a')}\r\n\r\n1\r\n--b--\r\nepilogue --b\r\n--b\r\n`],
    ['space behind boundaries', `--b \t\r\n${field('a')}\r\n\r\n1\r\n--b-- \t\r\n`],
    ['a part without an empty line', `--b\r\n${field('a')}\r\n\r\n--b--`],
    ['names of fields in any case', `--b\r\ncontent-DISPOSITION:Form-Data;NAME=a\r\n\r\n1\r\n--b--`]
  ])('allows %s', (_name, body) => {
    expect(read(body).files).toEqual([])
  })

  it('allows boundaries in quotes, with stars, and of 70 characters', () => {
    for (const [parameter, boundary] of [['"a b;c=d"', 'a b;c=d'], ['*****', '*****'], ['x'.repeat(70), 'x'.repeat(70)], ['----WebKitFormBoundary7MA4', '----WebKitFormBoundary7MA4']]) {
      const body = `--${boundary}\r\n${field('a')}\r\n\r\n1\r\n--${boundary}--`
      expect(read(body, `multipart/form-data; charset=utf-8; Boundary=${parameter}; boundary=other`).fields).toEqual({ a: '1' })
    }
  })

  it('has no end of a part where a line only begins like one', () => {
    expect(read(bodyOf([field('a'), '\r\n-b\r\n--\r\n--B\r\n--c\r\r\n--c'])).fields).toEqual({ a: '\r\n-b\r\n--\r\n--B\r\n--c\r\r\n--c' })
    expect(() => read(bodyOf([field('a'), '\r\n--bc']))).toThrow(/goes on behind its boundary/)
  })

  const WHOLE = bodyOf([field('a'), '1'], [file('x'), 'y'])
  it.each([
    ['no boundary in the type', WHOLE, 'multipart/form-data', /has no boundary/],
    ['an empty one', WHOLE, 'multipart/form-data; boundary=', /has no boundary/],
    ['one that is too long', WHOLE, `multipart/form-data; boundary=${'x'.repeat(71)}`, /has no boundary, or one that can be none/],
    ['one that is no ASCII', WHOLE, 'multipart/form-data; boundary=é', /can be none/],
    ['a quote that does not end', WHOLE, 'multipart/form-data; boundary="b', /quote .* does not end/],
    ['another one in the body', WHOLE, 'multipart/form-data; boundary=c', /boundary is not there/],
    ['text', 'a=1&b=2', TYPE, /boundary is not there/],
    ['nothing but a boundary', '--b', TYPE, /goes on behind its boundary/],
    ['one dash at the end', '--b-', TYPE, /goes on behind/],
    ['the boundary of a line feed', `--b\n${field('a')}\n\n1\n--b--`, TYPE, /goes on behind/],
    ['a body that ends in a head', `--b\r\n${field('a')}\r\n`, TYPE, /head of part 1 .* does not end/],
    ['a body that ends in a part', WHOLE.slice(0, -10), TYPE, /part 2 .* does not end/],
    ['a part without a head', '--b\r\n\r\nx\r\n--b--', TYPE, /part 1 .* with a name/],
    ['a part whose head goes on in the next', `--b\r\n${field('a')}\r\n--b\r\n${field('b')}\r\n\r\n1\r\n--b--`, TYPE, /head of part 1 .* no header field/],
    ['a part without a name', bodyOf([field('a'), '1'], ['Content-Disposition: form-data', '2']), TYPE, /part 2 .* with a name/],
    ['a part with an empty one', bodyOf([field(''), '1']), TYPE, /part 1 .* with a name/],
    ['a part that is something else', bodyOf(['Content-Disposition: attachment; name="a"', '1']), TYPE, /part 1 .* form-data/],
    ['a name that does not end', bodyOf(['Content-Disposition: form-data; name="a', '1']), TYPE, /quote .* does not end/],
    ['a head of more than 8 KiB', bodyOf([`${field('a')}\r\nX: ${'x'.repeat(8192)}`, '1']), TYPE, /head of part 1 .* above 8192 bytes/],
    ['a name of more than 1,000 characters', bodyOf([field('a'.repeat(1001)), '1']), TYPE, /name of part 1 .* above 1000/],
    ['more than 1,000 parts', bodyOf(...Array.from({ length: 1001 }, (): [string, string] => [field('a'), ''])), TYPE, /more than 1000 parts/]
  ])('refuses %s', (_name, body, type, message) => {
    expect(() => read(body, type)).toThrow(message)
    expect(() => read(body, type)).toThrow(BadRequest)
  })

  it('takes 1,000 parts', () => {
    expect(read(bodyOf(...Array.from({ length: 1000 }, (): [string, string] => [field('a'), '']))).fields['a']).toHaveLength(1000)
  })

  it('refuses a body that was cut anywhere, and gives nothing that is not in it', () => {
    const end = WHOLE.indexOf('--b--') + 5
    for (let length = 1; length < end; length++) expect(() => read(WHOLE.slice(0, length)), `${length}`).toThrow(BadRequest)
    expect(read(WHOLE.slice(0, end)).files).toHaveLength(1)
  })
})

// Each of these has to cost a look at each byte, or less.
describe('10 MB of', () => {
  const MB10 = 10_000_000
  const LONG = 'x'.repeat(69)
  const long = (content: string): string => `--${LONG}y\r\n${field('a')}\r\n\r\n${content}\r\n--${LONG}y--`
  const fill = (text: string): string => text.repeat(Math.floor(MB10 / text.length))
  it.each([
    ['lines that are the boundary but for the last character', long(fill(`\r\n--${LONG}`))],
    ['line breaks', long(fill('\r\n'))],
    ['carriage returns', long(fill('\r'))],
    ['dashes', long(fill('\r\n--'))],
    ['heads', long(fill('\r\n\r\n'))],
    ['nothing in front of the first boundary', `${fill(`\r\n--${LONG}`)}\r\n${long('')}`],
    ['space behind a boundary', `--${LONG}y${fill(' ')}`],
    ['a million parts', fill(`--${LONG}y\r\n\r\n`)],
    ['parts whose heads are semicolons', Array.from({ length: 1000 }, () => `--${LONG}y\r\n${field('a', ';'.repeat(8000))}=\r\n\r\n`).join('\r\n')],
    ['parts whose names are brackets', Array.from({ length: 1000 }, (_, i) => `--${LONG}y\r\n${field(`a${i}${'[a]'.repeat(300)}`)}\r\n\r\n`).join('\r\n')],
    ['a text', long(fill('é'))]
  ])('%s', (_name, body) => {
    const bytes = Buffer.from(body)
    const started = performance.now()
    try {
      readMultipart(`multipart/form-data; boundary=${LONG}y`, bytes)
    } catch (error) {
      expect(error).toBeInstanceOf(BadRequest)
    }
    expect(performance.now() - started).toBeLessThan(1_000)
  })
})

describe('ctx.files', () => {
  let harness: Harness
  let test: TestApp
  beforeAll(async () => {
    harness = await makeHarness()
    const f = `exports.main = ({ body, files, request }) => ({ body, files: files?.map(({ buffer, ...file }) => ({ ...file, isBuffer: Buffer.isBuffer(buffer), text: buffer.toString() })), same: request.files === files, kind: typeof files })`
    // What every list and object inherits is not asked.
    const hostile = `for (const method of ['push', 'slice', 'indexOf', 'map']) Array.prototype[method] = String.prototype[method] = () => { throw new Error('called') }; Object.defineProperty(Object.prototype, 'fieldname', { set() { throw new Error('called') } }); exports.main = ({ body, files }) => body.a + files[0].originalname + files[0].fieldname`
    const shares = `const cloud = require('@lafjs/cloud').default; exports.main = ({ files }) => { cloud.shared.set('file', files[0].buffer); return 'kept' }`
    test = await harness.start('exports.main = () => {}', { functions: { f, hostile, shares } })
  })
  afterAll(() => harness.close())
  const post = (name: string, body: string, type: string) => call(test, name, { headers: { 'content-type': type }, body })

  it('are Buffers in multipart/form-data, and undefined in all other requests', async () => {
    expect((await post('f', bodyOf([field('a'), '1'], [file('x.txt'), 'yz']), TYPE)).json).toEqual({
      body: { a: '1' }, files: [{ fieldname: 'f', originalname: 'x.txt', encoding: '7bit', mimetype: 'text/plain', size: 2, isBuffer: true, text: 'yz' }], same: true, kind: 'object'
    })
    expect((await post('f', bodyOf([field('a'), '1']), 'Multipart/Form-Data; boundary=b')).json).toMatchObject({ files: [], kind: 'object' })
    for (const [body, type] of [['', TYPE], ['{}', 'application/json'], ['x', 'text/plain'], ['x', 'multipart/mixed; boundary=b'], ['x', 'multipart/form-data-x; boundary=b']] as const) {
      expect((await post('f', body, type)).json).toEqual({ body: {}, same: true, kind: 'undefined' })
    }
  })

  it('that cannot be read are 400, and the function is not called', async () => {
    const answer = await post('f', 'no', TYPE)
    expect(answer).toMatchObject({ status: 400, json: { error: 'the body is not multipart/form-data: its boundary is not there', requestId: expect.any(String) } })
    expect(test.logs()).toEqual([])
  })

  it('are kept without the rest of the body', async () => {
    expect((await post('shares', bodyOf([field('a'), 'x'.repeat(100_000)], [file('x'), 'only this']), TYPE)).body).toBe('kept')
    await test.until(() => test.changes.length === 1)
    expect(Buffer.from(test.changes[0]!).includes('only this')).toBe(true)
    expect(test.changes[0]!.byteLength).toBeLessThan(1_000)
  })

  // Last: nothing of the app works as it did.
  it('are read also where built-ins are not what they were', async () => {
    expect((await post('hostile', bodyOf([field('a'), '1'], [file('x'), 'y']), TYPE)).body).toBe('1xf')
    expect((await post('hostile', bodyOf([field('a'), '2'], [file('z'), 'y']), TYPE)).body).toBe('2zf')
  })
})
