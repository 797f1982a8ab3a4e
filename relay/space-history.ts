/**
 * How full pools and stores were, so that it can be told on which day their space ends. It is noted every six hours, in a file beside
 * the journal. Nothing else depends on it: one that can't be read begins anew.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'

/** Seconds since the epoch, and bytes. */
export type Sample = readonly [second: number, used: number]

export type SpaceHistory = {
  /** Notes it, if it is long since. */
  note(about: string, used: number, now: number): void
  of(about: string): Sample[]
}

/** Seconds between two. */
const EVERY = 6 * 3600
/** So many are kept of each: a month. */
const KEPT = 120
/** Pools and stores. */
const MOST = 500

/** `path` null: nothing is remembered over a restart. */
export function openSpaceHistory(path: string | null, log: (line: string) => void): SpaceHistory {
  const known = new Map(Object.entries(readAll(path, log)))
  return {
    note(about, used, now) {
      const second = Math.floor(now / 1000)
      const before = known.get(about) ?? []
      const last = before.at(-1)?.[0] ?? Number.NEGATIVE_INFINITY
      // A clock that was ahead must not keep it from being noted again.
      const past = before.filter(([at]) => at <= second)
      if (past.length === before.length && second - last < EVERY) return
      if (!known.has(about) && known.size >= MOST) return
      known.set(about, [...past, [second, used] as const].slice(-KEPT))
      write(path, Object.fromEntries(known), log)
    },
    of: (about) => [...(known.get(about) ?? [])],
  }
}

function write(path: string | null, all: Record<string, Sample[]>, log: (line: string) => void): void {
  if (path === null) return
  try {
    writeFileSync(`${path}.new`, JSON.stringify(all), { mode: 0o600 })
    renameSync(`${path}.new`, path)
  } catch (error) {
    log(`how full pools are could not be noted in ${path}: ${String(error)}`)
  }
}

function readAll(path: string | null, log: (line: string) => void): Record<string, Sample[]> {
  if (path === null || !existsSync(path)) return {}
  try {
    const all: unknown = JSON.parse(readFileSync(path, 'utf8'))
    const entries = typeof all === 'object' && all !== null ? Object.entries(all) : []
    return Object.fromEntries(entries.map(([about, list]) => [about, samplesIn(list)]))
  } catch (error) {
    log(`how full pools were can't be read from ${path}, and is noted anew: ${String(error)}`)
    return {}
  }
}

const samplesIn = (list: unknown): Sample[] =>
  (Array.isArray(list) ? list : []).filter(
    (one): one is Sample =>
      Array.isArray(one) && one.length === 2 && one.every((part) => Number.isSafeInteger(part) && part >= 0),
  )
