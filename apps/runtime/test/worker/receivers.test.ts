import { describe, expect, it } from 'vitest'
import { byGateway, receiverBytes, withReceivers } from '../../src/worker/receivers.ts'
import { numbers } from './harness.ts'

describe('the receivers of a message', () => {
  it('are told apart by their gateways, each in its order, between two places of the bytes', () => {
    const bytes = numbers(99, 99, 0, 5, 2, 6, 0, 4, 2, 5, 99, 99)
    expect(byGateway(bytes, 8, 40, 3)).toEqual([[5, 4], [], [6, 5]])
    expect(byGateway(bytes, 8, 8, 2)).toEqual([[], []])
  })

  it.each([[1], [2], [0xffffffff]])('are none at all where one is at gateway %i, which does not exist', (gateway) => {
    expect(byGateway(numbers(0, 1, gateway, 2), 0, 16, 1)).toBeNull()
  })

  it.each([0, 1, 2, 3, 4, 5])('stand behind the padding of a message of %i bytes', (length) => {
    const message = Buffer.alloc(length, 7)
    const payload = Buffer.from(withReceivers(message, receiverBytes([8, 0xffffffff])))
    const behind = 4 + Math.ceil(length / 4) * 4
    expect(payload.readUInt32LE(0)).toBe(length)
    expect(payload.subarray(4, 4 + length)).toEqual(message)
    expect(payload.subarray(4 + length, behind).every((byte) => byte === 0)).toBe(true)
    expect(payload.subarray(behind)).toEqual(numbers(8, 0xffffffff))
  })
})
