/**
 * Parses untrusted values part by part. A part that doesn't parse is dropped and reported, never thrown.
 * Unknown fields (of a later version) are kept as they are.
 */
import * as z from 'zod/mini'

/** Canonical ISO 8601, so that two of them compare as texts. */
const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

export const isCanonical = (value: unknown): value is string =>
  typeof value === 'string' && MOMENT.test(value) && !Number.isNaN(Date.parse(value))

export const moment = z.string().check(z.refine(isCanonical))
export const count = z.number().check(z.nonnegative())
export const texts = z.record(z.string(), z.string())

/** Reports a part that was lost, in words for people. */
export type Lose = (part: string) => void

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** One value as it is, or undefined. An absent value isn't reported. The schemas transform nothing. */
export function partOf<Schema extends z.ZodMiniType>(
  value: unknown,
  schema: Schema,
  part: string,
  lose: Lose,
): z.output<Schema> | undefined {
  if (value === undefined) return undefined
  if (schema.safeParse(value).success) return value as z.output<Schema>
  lose(part)
  return undefined
}

/** The valid items of a list. */
export function listOf<Item>(
  value: unknown,
  part: string,
  lose: Lose,
  read: (item: unknown, part: string) => Item | undefined,
): Item[] {
  if (value === undefined) return []
  if (!Array.isArray(value)) {
    lose(part)
    return []
  }
  return value.flatMap((item: unknown) => {
    const found = read(item, part)
    return found === undefined ? [] : [found]
  })
}

/** The valid entries of a map, whatever its keys are. */
export function mapOf<Item>(
  value: unknown,
  part: string,
  lose: Lose,
  read: (item: unknown, part: string) => Item | undefined,
): Record<string, Item> {
  if (value === undefined) return {}
  if (!isObject(value)) {
    lose(part)
    return {}
  }
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, item]) => {
      // This key would change the object's prototype.
      if (key === '__proto__') lose(`${part} ${key}`)
      const found = key === '__proto__' ? undefined : read(item, `${part} ${key}`)
      return found === undefined ? [] : [[key, found] as const]
    }),
  )
}
