/** Whether a topic is one of those that a filter means: `+` is any one level, `#` at the end all that follow (MQTT 3.1.1, 4.7). */
export function matches(filter: string, topic: string): boolean {
  const wanted = filter.split('/')
  const levels = topic.split('/')
  // 4.7.2: wildcards do not reach the topics of the broker itself.
  if (topic.startsWith('$') && /^[+#]/.test(filter)) return false
  for (const [i, want] of wanted.entries()) {
    if (want === '#') return true
    if (levels[i] === undefined || (want !== '+' && want !== levels[i])) return false
  }
  return wanted.length === levels.length
}
