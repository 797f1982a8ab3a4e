/** Parsed once for each text: most steps find the same. */
export function remembered<T>(parse: (value: unknown) => T): (text: string | null) => T {
  let last: { text: string | null; value: T } | undefined
  return (text) => {
    if (last?.text !== text || last === undefined) last = { text, value: parse(JSON.parse(text ?? 'null')) }
    return last.value
  }
}
