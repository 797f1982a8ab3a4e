/** Which dead man's switches are told what after a tick, by the verdict alone. Nothing is remembered for it. */
import type { Policy } from '../policy/policy.ts'
import { narrowTo, textsOf, type Verdict } from '../promise/verdict.ts'
import type { PingSettings } from './settings.ts'

export type PingState = 'start' | 'up' | 'down'

export type Ping = {
  policy: string
  settings: PingSettings
  state: PingState
  /** Why it is down; else what needs a look. */
  text: string
}

/** Pings of one tick: the platform allows 50 requests, and the run needs some itself. */
export const MOST = 10

const MINUTE = 60_000
const QUARTER = 15 * MINUTE

/** Characters of a text. */
const LONGEST = 2_000

type Pinged = { policy: Policy; settings: PingSettings }

const pinged = (policies: readonly Policy[]): Pinged[] =>
  policies.flatMap((policy) => (policy.ping == null ? [] : [{ policy, settings: policy.ping }]))

/** `acted`: policies for which the tick is about to do something. */
export const startsOf = (policies: readonly Policy[], acted: ReadonlySet<string>): Ping[] =>
  pinged(policies)
    .filter(({ policy: { name } }) => acted.has(name))
    .slice(0, MOST / 2)
    .map(({ policy: { name }, settings }) => ({ policy: name, settings, state: 'start', text: '' }))

/** `again`: milliseconds within which the next tick comes, so that this one has the turns of as many minutes. */
type Tick = { now: Date; again: number }

/** Of the policies for which the tick did something, and of those whose turn it is. */
export function pingsOf(
  policies: readonly Policy[],
  verdict: Verdict,
  { acted, ...tick }: Tick & { acted: ReadonlySet<string> },
): Ping[] {
  const all = pinged(policies)
  const first = all.filter(({ policy: { name } }) => acted.has(name))
  const others = all.filter((one, at) => !acted.has(one.policy.name) && isTurn(one, at, all.length, tick))
  return [...first, ...rotated(others, tick)].slice(0, MOST).map(({ policy: { name }, settings }) => {
    const mine = narrowTo(verdict, { policy: name })
    const state = mine.tone === 'bad' ? 'down' : 'up'
    return { policy: name, settings, state, text: textsOf(mine).join('\n').slice(0, LONGEST) }
  })
}

/** Whether any policy's turn is now, so that the verdict is needed. */
export const isAnyTurn = (policies: readonly Policy[], tick: Tick): boolean =>
  pinged(policies).some((one, at, all) => isTurn(one, at, all.length, tick))

/** Each has a minute of its own, so that they don't come all at once. Many of them take turns more seldom. */
function isTurn({ settings }: Pinged, at: number, count: number, { now, again }: Tick): boolean {
  const minute = Math.floor(now.getTime() / MINUTE)
  const period = Math.max(1, Math.floor(settings.every / 60), Math.ceil(count / MOST))
  return ((minute + at) % period) * MINUTE < again
}

/** Where more have their turn than a tick may ping, others come first each time, however often ticks come. */
function rotated(some: readonly Pinged[], { now }: Tick): Pinged[] {
  const steps = Math.floor(now.getTime() / MINUTE) + Math.floor(now.getTime() / QUARTER)
  const start = (steps * MOST) % Math.max(some.length, 1)
  return [...some.slice(start), ...some.slice(0, start)]
}
