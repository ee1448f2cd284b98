import type { Socket } from 'node:net'

/** After each read of up to 64 KiB. */
const PAUSE_MS = 5

const slow = new WeakSet<Socket>()

/**
 * What a client still sends after its end was decided has to be read, or it never sees why (RFC 6455, 7.1.1); but it is worth nothing,
 * and must not keep us busy. The closing handshake's timeout ends those who go on and on.
 */
export function readSlowly(socket: Socket): void {
  if (slow.has(socket)) return
  slow.add(socket)
  socket.on('data', () => {
    socket.pause()
    setTimeout(() => socket.resume(), PAUSE_MS).unref()
  })
}
