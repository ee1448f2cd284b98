/** A frame may keep as much memory as this beside its own, in proportion and in bytes. */
const MAX_PROPORTION = 2
const MAX_BYTES = 1024

/** The frame, or a copy: what waits should not keep the chunk in which it came with many others. */
export function withoutRest(frame: Uint8Array): Uint8Array {
  return frame.buffer.byteLength > MAX_BYTES + frame.byteLength * MAX_PROPORTION ? copyOf(frame) : frame
}

/** Without Buffer's pool: what is kept for long would keep the rest of its slab. */
export function copyOf(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(bytes.byteLength)
  copy.set(bytes)
  return copy
}

/** Frames that are `bytes` together, in a buffer of their own. */
export function joined(frames: Uint8Array[], bytes: number): Uint8Array {
  const all = new Uint8Array(bytes)
  let at = 0
  for (const frame of frames) {
    all.set(frame, at)
    at += frame.byteLength
  }
  return all
}
