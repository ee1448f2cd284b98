const HEX = '0123456789abcdef'

/** The first bytes as hex, with spaces between them. */
export function hexOf(bytes: Uint8Array, count: number): string {
  let text = ''
  for (let i = 0; i < count; i++) text += `${i === 0 ? '' : ' '}${HEX[bytes[i]! >> 4]}${HEX[bytes[i]! & 15]}`
  return text
}
