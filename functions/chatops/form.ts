/**
 * A form as the platforms send it. Null where it is malformed, or has a field twice: which one counts would be
 * a guess, and the signer could guess differently.
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

/** Undefined when it is no JSON, which no schema accepts. */
export function parseJson(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}
