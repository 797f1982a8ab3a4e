/** What was heard and told, as the file beside the journal keeps it: read part by part, as foreign input. */
import type { Heard, Told } from '../../shared/silence/silence.ts'
import { isObject } from '../engine/envelope.ts'

export type Memory = {
  /** By keyid; empty: no Worker was ever heard. */
  heard: Map<string, Heard>
  /** By channel, then by keyid. */
  told: Map<string, Map<string, Told>>
}

export const writtenOf = ({ heard, told }: Memory): unknown => ({
  heard: Object.fromEntries(heard),
  told: Object.fromEntries([...told].map(([channel, of]) => [channel, Object.fromEntries(of)])),
})

export function readMemory(written: unknown): Memory {
  const { heard, told } = isObject(written) ? written : {}
  return {
    heard: mapOf(heard, asHeard),
    told: mapOf(told, (of) => mapOf(of, asTold)),
  }
}

function mapOf<T>(value: unknown, read: (item: unknown) => T | null): Map<string, T> {
  const entries = Object.entries(isObject(value) ? value : {})
  return new Map(
    entries.flatMap(([key, item]) => {
      const known = read(item)
      return known === null ? [] : [[key, known] as const]
    }),
  )
}

const isAmount = (value: unknown): value is number => typeof value === 'number' && value >= 0

const asHeard = (item: unknown): Heard | null => {
  const { at, again } = isObject(item) ? item : {}
  return isAmount(at) && isAmount(again) ? { at, again } : null
}

const asTold = (item: unknown): Told | null => {
  const { heard, first, last, count } = isObject(item) ? item : {}
  return isAmount(heard) && isAmount(first) && isAmount(last) && isAmount(count) && count >= 1
    ? { heard, first, last, count }
    : null
}
