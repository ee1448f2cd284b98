import { connectAsync, type IClientOptions, type IPublishPacket, type MqttClient } from 'mqtt'
import { expect, it, onTestFinished } from 'vitest'
import type { Platform } from '../support/platform.ts'
import { until } from '../support/until.ts'
import { publishBundled } from './publish.ts'

interface Received {
  topic: string
  text: string
  qos: number
  retain: boolean
}

interface Device {
  client: MqttClient
  received: Received[]
}

export function mqttSample(platform: () => Platform): void {
  const device = async (clientId: string, options: IClientOptions = {}): Promise<Device> => {
    const client = await connectAsync(platform().url('mqtt'), { clientId, reconnectPeriod: 0, ...options })
    onTestFinished(() => void client.end(true))
    const received: Received[] = []
    client.on('message', (topic: string, payload: Buffer, { qos, retain }: IPublishPacket) => received.push({ topic, text: payload.toString(), qos, retain }))
    return { client, received }
  }

  it('serves clients of MQTT: wildcards, QoS 0 and 1, large messages', async () => {
    await publishBundled(platform(), 'mqtt')
    const sensor = await device('sensor')
    const screen = await device('screen')
    const logger = await device('logger')
    expect(await screen.client.subscribeAsync('house/+/temperature', { qos: 1 })).toMatchObject([{ topic: 'house/+/temperature', qos: 1 }])
    await logger.client.subscribeAsync('house/#')
    await sensor.client.publishAsync('house/kitchen/temperature', '21', { qos: 1 })
    await sensor.client.publishAsync('house/kitchen/humidity', '40', { qos: 1 })
    await sensor.client.publishAsync('garden/temperature', '9')
    // Many frames and many packets to a frame: the broker sees a stream of bytes.
    const large = 'é'.repeat(200_000)
    await sensor.client.publishAsync('house/attic/temperature', large)
    await until('the large one has come', () => screen.received.length === 2 && logger.received.length === 3)
    expect(screen.received).toEqual([
      { topic: 'house/kitchen/temperature', text: '21', qos: 1, retain: false },
      { topic: 'house/attic/temperature', text: large, qos: 0, retain: false }
    ])
    expect(logger.received.map(({ topic, qos }) => `${topic} ${qos}`)).toEqual(['house/kitchen/temperature 0', 'house/kitchen/humidity 0', 'house/attic/temperature 0'])

    await screen.client.unsubscribeAsync('house/+/temperature')
    await Promise.all(Array.from({ length: 200 }, (_, i) => sensor.client.publishAsync('house/kitchen/temperature', String(i), { qos: 1 })))
    await until('all have come', () => logger.received.length === 203)
    expect(logger.received.slice(3).map(({ text }) => text)).toEqual(Array.from({ length: 200 }, (_, i) => String(i)))
    expect(screen.received.length).toBe(2)
  })

  it('has the retained message of a topic for those who come later', async () => {
    const sensor = await device('sensor')
    await sensor.client.publishAsync('state/lamp', 'off', { retain: true, qos: 1 })
    await sensor.client.publishAsync('state/lamp', 'on', { retain: true, qos: 1 })
    const late = await device('late')
    await late.client.subscribeAsync('state/+')
    await until('the last state has come', () => late.received.length === 1)
    expect(late.received).toEqual([{ topic: 'state/lamp', text: 'on', qos: 0, retain: true }])
    await sensor.client.publishAsync('state/lamp', '', { retain: true, qos: 1 })
    const later = await device('later')
    await later.client.subscribeAsync('state/+')
    await sensor.client.publishAsync('state/other', 'live', { qos: 1 })
    await until('the live one has come', () => later.received.length === 1)
    expect(later.received[0]).toMatchObject({ topic: 'state/other', retain: false })
  })

  it('publishes the will of a client that is dropped, and not of one that says goodbye', async () => {
    const watcher = await device('watcher')
    await watcher.client.subscribeAsync('will/#')
    const will = (name: string): IClientOptions => ({ will: { topic: `will/${name}`, payload: Buffer.from('gone'), qos: 0, retain: false } })
    const polite = await device('polite', will('polite'))
    const dropped = await device('dropped', will('dropped'))
    await polite.client.endAsync()
    dropped.client.stream.destroy()
    await until('the will has come', () => watcher.received.length > 0)
    expect(watcher.received).toEqual([{ topic: 'will/dropped', text: 'gone', qos: 0, retain: false }])
    // Who stays silent longer than it has promised is dropped too.
    const silent = await device('silent', { ...will('silent'), keepalive: 1, reschedulePings: false, timerVariant: { set: () => 0, clear: () => {} } })
    await until('the will of the silent one has come', () => watcher.received.length > 1)
    expect(watcher.received[1]).toMatchObject({ topic: 'will/silent' })
    await until('the silent one is closed', () => !silent.client.connected)
  })
}
