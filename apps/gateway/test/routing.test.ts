import { describe, expect, test } from 'vitest'
import { functionOf, route } from '../src/routing.ts'

const DOMAIN = 'Example.com'

describe('by host', () => {
  test.each([
    ['demo.example.com', '/x?y=1', 'demo', '/x?y=1'],
    ['DEMO.EXAMPLE.COM:8080', '/', 'demo', '/'],
    ['demo.example.com:', '/demo/x', 'demo', '/demo/x']
  ])('%s%s is %s', (host, url, appid, seen) => {
    expect(route(host, url, DOMAIN)).toEqual({ appid, byPath: false, url: seen })
  })
})

describe('by path, for any other Host', () => {
  test.each([
    ['localhost:8080', '/demo/__websocket__?x=1', 'demo', '/__websocket__?x=1'],
    ['127.0.0.1', '/demo', 'demo', '/'],
    ['127.0.0.1', '/demo?x=1', 'demo', '/?x=1'],
    ['[::1]:8080', '/demo/', 'demo', '/'],
    ['example.com', '/demo/a/b', 'demo', '/a/b'],
    ['a.b.example.com', '/demo', 'demo', '/'],
    ['notexample.com', '/demo', 'demo', '/'],
    [undefined, '/demo', 'demo', '/'],
    ['localhost', '/', '', '/'],
    ['localhost', '//demo', '', '/demo'],
    ['localhost', '/Bad_Name/x', '', '/x'],
    ['localhost', '/%64emo/x', '', '/x'],
    ['localhost', '/healthz', '', '/']
  ])('%s%s is %s', (host, url, appid, seen) => {
    expect(route(host, url, DOMAIN)).toEqual({ appid, byPath: true, url: seen })
  })
})

describe('cannot be understood', () => {
  test.each([
    ['localhost', 'http://demo.example.com/'],
    ['localhost', '*'],
    ['localhost', ''],
    ['localhost', '/demo/%'],
    ['localhost', '/demo/%ff'],
    ['demo example.com', '/'],
    ['demo.example.com/', '/'],
    ['demo@example.com', '/']
  ])('%s %s', (host, url) => {
    expect(route(host, url, DOMAIN)).toBeNull()
  })
  test('a query that is no percent-encoding is none of our business', () => {
    expect(route('localhost', '/demo?%', DOMAIN)?.url).toBe('/?%')
  })
})

test('a function is named by the whole path, decoded', () => {
  expect(functionOf('/a%2Fb/c?d')).toBe('a/b/c')
  expect(functionOf('/')).toBe('')
})
