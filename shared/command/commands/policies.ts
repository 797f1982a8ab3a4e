/** `policies`: each policy's settings and its next slot. */

import { fold } from '../../chat/details.ts'
import type { Message, Text } from '../../chat/message.ts'
import { untilText } from '../../chat/result-message.ts'
import { count, cut, enumerate } from '../../chat/words.ts'
import { own } from '../../own.ts'
import type { Pause, Policy } from '../../policy/policy.ts'
import type { Keep } from '../../retention/keep.ts'
import { nextSlot } from '../../schedule/slots.ts'
import type { ReadCommand } from '../command.ts'
import type { Seen } from '../seen.ts'
import { nothingConfigured } from '../unconfigured.ts'

export const policies: ReadCommand = {
  kind: 'read',
  name: 'policies',
  summary: 'List the policies: schedules, retention, copies, pauses and next slots',
  role: 'viewer',
  parameters: [],
  examples: ['policies'],
  needs: 'ledger',
  answer: (_, seen) => (seen.config === null ? nothingConfigured() : answer(seen, seen.config.policies)),
}

function answer({ now, pauses, room }: Seen, all: readonly Policy[]): Message {
  const paused = all.filter((policy) => policy.paused).length
  return {
    to: 'caller',
    tone: all.length === 0 || paused > 0 ? 'warning' : 'info',
    headline: [
      all.length === 0
        ? 'There are no policies, so nothing is backed up'
        : count(all.length, 'policy', 'policies'),
      paused === 0 ? '' : `, ${paused} of them paused`,
    ],
    details: fold(
      all.map((policy) => policyText(policy, pauseOf(policy, pauses, now), now)),
      ['all of them are in stapes.jsonc'],
      room,
    ),
    buttons: [],
  }
}

/** The pause that somebody set in chat; null: there is none, or it is over. */
export function pauseOf({ name }: Policy, pauses: Readonly<Record<string, Pause>>, now: Date): Pause | null {
  const pause = own(pauses, name)
  return pause === undefined || (pause.until !== null && pause.until <= now.toISOString()) ? null : pause
}

function policyText(policy: Policy, pause: Pause | null, now: Date): Text {
  const { name, schedule, timezone, keep, copy } = policy
  const whereTo: Text = copy === null ? [', no copy'] : [', copied to ', { code: copy.remote }]
  const kept = keepText(keep)
  return [
    ...[{ code: name }, ': ', { code: cut(schedule.join(', '), 120) }, ` ${timezone}, `],
    kept === '' ? 'removes nothing' : `keeps ${kept}`,
    ...[...whereTo, ', ', ...whenNext(policy, pause, now)],
  ]
}

export function whenNext(policy: Policy, pause: Pause | null, now: Date): Text {
  if (pause !== null) return [`paused by ${cut(pause.by, 60)} `, ...untilText(pause.until)]
  if (policy.paused) return ['paused in stapes.jsonc']
  const next = nextSlot({ ...policy, after: now })
  return next === null ? ['no next slot'] : ['next ', { at: next.toISOString(), style: 'full' }]
}

const RULES = [
  ['last', 'last'],
  ['hourly', 'hourly'],
  ['daily', 'daily'],
  ['weekly', 'weekly'],
  ['monthly', 'monthly'],
  ['yearly', 'yearly'],
  ['within', 'all within'],
  ['withinHourly', 'hourly within'],
  ['withinDaily', 'daily within'],
  ['withinWeekly', 'weekly within'],
  ['withinMonthly', 'monthly within'],
  ['withinYearly', 'yearly within'],
] as const satisfies [keyof Keep, string][]

/** "7 daily and 4 weekly", "all hourly", "all within 2d"; empty where no rule expires anything. */
export function keepText(keep: Keep): string {
  const parts = RULES.flatMap(([rule, words]) => {
    const value = keep[rule]
    if (value === undefined) return []
    if (typeof value === 'string') return [`${words} ${value}`]
    return [value < 0 ? `all ${words}` : rule === 'last' ? `the last ${value}` : `${value} ${words}`]
  })
  return enumerate(parts)
}
