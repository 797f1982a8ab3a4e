/** Policies that were paused in chat, independent of the document: until a given time, or until they are resumed. */

import type { PauseChange } from '../command/command.ts'
import { own } from '../own.ts'
import { err, ok, type Result } from '../result.ts'
import { nearest } from './nearest.ts'
import type { Config, Pause } from './policy.ts'

type Pauses = Readonly<Record<string, Pause>>

type Paused = { config: Config; pauses?: Pauses }

export const holdsAt = ({ until }: Pause, now: Date): boolean => until === null || new Date(until) > now

/** The configuration as it holds now: a policy is paused by the document, or by somebody. */
export function effectiveConfig({ config, pauses }: Paused, now: Date): Config {
  if (pauses === undefined) return config
  const policies = config.policies.map((policy) => {
    const pause = own(pauses, policy.name)
    // When the document's own pause began isn't known.
    if (pause === undefined || policy.paused) return policy
    return { ...policy, paused: holdsAt(pause, now), pause }
  })
  return { ...config, policies }
}

/** When the next pause ends by itself (ISO 8601), or null. */
export function nextResume({ pauses }: Paused, now: Date): string | null {
  const ends = Object.values(pauses ?? {}).flatMap(({ until }) => (until === null ? [] : [until]))
  const later = ends.map((until) => new Date(until)).filter((until) => until > now)
  return later.sort((a, b) => a.getTime() - b.getTime())[0]?.toISOString() ?? null
}

/** Pauses of policies that the configuration still has, and the end of those that only the former document paused. */
export function keptPauses(
  { policies }: Config,
  pauses: Pauses,
  before: { config: Config; appliedAt: string } | null,
  now: Date,
): Record<string, Pause> {
  const ended = (name: string): boolean =>
    before?.config.policies.some((policy) => policy.name === name && policy.paused) === true
  const entries = policies.flatMap(({ name, paused }): [string, Pause][] => {
    const pause = own(pauses, name)
    const holds = pause !== undefined && holdsAt(pause, now)
    if (before !== null && !paused && !holds && ended(name))
      return [[name, { by: 'the configuration', at: before.appliedAt, until: now.toISOString() }]]
    return pause === undefined ? [] : [[name, pause]]
  })
  return Object.fromEntries(entries)
}

/** The pauses after a change, or why it can't be made. */
export function changePauses(
  { config, pauses = {} }: Paused,
  change: PauseChange,
  now: Date,
): Result<Record<string, Pause>, string> {
  const { policy: name } = change
  const policy = config.policies.find((one) => one.name === name)
  if (policy === undefined) {
    const known = config.policies.map((one) => one.name)
    const meant = nearest(name, known)
    const hint = meant === null ? `there are: ${known.join(', ')}` : `did you mean "${meant}"?`
    return err(`there is no policy "${name}"; ${hint}`)
  }
  const byDocument = `${name} is paused by the configuration`
  const before = own(pauses, name)
  if (change.do === 'pause') {
    if (policy.paused) return err(`${byDocument} already`)
    const { by, at, until } = change
    return ok({ ...pauses, [name]: { by, at, until } })
  }
  if (policy.paused) return err(`${byDocument}: apply one without "paused" to resume it`)
  if (before === undefined || !holdsAt(before, now)) return err(`${name} is not paused`)
  return ok({ ...pauses, [name]: { ...before, until: now.toISOString() } })
}
