/**
 * Code that replaces every method, getter and setter of the owners (as text) by a function with this body. All at once, at the
 * end, so that this code itself still finds what it uses.
 */
export function overwrite(owners: string, body: string): string {
  return `{
    const list = []
    const { defineProperty } = Reflect
    const evil = function () { ${body} }
    for (const owner of [${owners}]) for (const key of Reflect.ownKeys(owner)) {
      if (key === 'constructor' || key === 'prototype') continue
      const d = Reflect.getOwnPropertyDescriptor(owner, key)
      if (!d.configurable) continue
      const changed = 'value' in d ? (typeof d.value === 'function' ? { ...d, value: evil } : null) : { ...d, get: d.get && evil, set: d.set && evil }
      if (changed) list.push([owner, key, changed])
    }
    for (let i = 0; i < list.length; i++) { const one = list[i]; defineProperty(one[0], one[1], one[2]) }
  }`
}
