/** Every place of a JSON value, and what may stand there instead. */
export type Path = readonly (string | number)[]

/** All paths into a value, its own members' members included. */
export const pathsOf = (value: unknown, path: Path = []): Path[] =>
  typeof value === 'object' && value !== null
    ? [
        path,
        ...Object.entries(value).flatMap(([key, member]) =>
          pathsOf(member, [...path, Array.isArray(value) ? Number(key) : key]),
        ),
      ]
    : [path]

/** What no part of the state is. As JSON, in which `__proto__` is a key like others. */
export const EVIL = [
  'null',
  '[]',
  '{}',
  '[null]',
  '{"__proto__":{"count":1}}',
  '"x"',
  '""',
  '"9999"',
  '"2026-02-30T25:00:00.000Z"',
  '-1',
  '1e400',
  'true',
  'false',
] as const

/** The value with something else at a path. */
export function replaced(value: unknown, [key, ...rest]: Path, evil: string): unknown {
  if (key === undefined) return JSON.parse(evil)
  if (Array.isArray(value)) return value.map((item, at) => (at === key ? replaced(item, rest, evil) : item))
  return Object.fromEntries(
    Object.entries(value as object).map(([name, member]) => [
      name,
      name === key ? replaced(member, rest, evil) : member,
    ]),
  )
}
