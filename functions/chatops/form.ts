/**
 * A form as the platforms send it. Null where it is broken, or names a field twice: a lenient reader would
 * guess, and could guess otherwise than the one who signed it.
 */
export function parseForm(body: string): Record<string, string> | null {
  if (!/^[\x21-\x7e]*$/.test(body)) return null
  try {
    const fields = body.split('&').map((field): [string, string] => {
      const middle = field.includes('=') ? field.indexOf('=') : field.length
      return [decode(field.slice(0, middle)), decode(field.slice(middle + 1))]
    })
    return new Set(fields.map(([name]) => name)).size < fields.length ? null : Object.fromEntries(fields)
  } catch {
    return null
  }
}

const decode = (text: string): string => decodeURIComponent(text.replaceAll('+', ' '))

/** Undefined is what no schema takes. */
export function parseJson(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}
