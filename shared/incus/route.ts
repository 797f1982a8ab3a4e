/** What a route of the table is made of. */
export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

export type Route = {
  method: Method
  /** Path with `{parameters}`, each one segment, percent-encoded on the wire. */
  path: string
  /** Query keys that may be given. `project` is the project's name; absent means `default`. */
  query: readonly string[]
  /** What the body may be: a reason when it isn't that. Keeps a stolen relay key from doing more than backups. */
  refuse?: (body: unknown) => string | null
}

export const field = (body: unknown, key: string): unknown =>
  typeof body === 'object' && body !== null ? (body as Record<string, unknown>)[key] : undefined

export const onlyKeys = (body: unknown, keys: readonly string[]): string | null => {
  if (typeof body !== 'object' || body === null) return 'a JSON object is expected'
  const stranger = Object.keys(body).find((key) => !keys.includes(key))
  return stranger === undefined ? null : `key "${stranger}" is not used by stapes`
}
