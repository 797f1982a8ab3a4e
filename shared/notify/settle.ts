/** Notes what came of a message. */
import { backoffMinutes } from '../ledger/attempts.ts'
import { own } from '../own.ts'
import { minutesFrom } from '../schedule/moment.ts'
import type { Delivery } from './decide.ts'
import type { ChannelState, Notice, Notices, Telling } from './notices.ts'

/** `final`: another try won't help before somebody changes something. `wait`: seconds that the service asks for. */
export type Sent = { ok: true; ref?: string } | { ok: false; reason: string; final: boolean; wait?: number }

export function settle(notices: Notices, delivery: Delivery, sent: Sent, now: Date): Notices {
  const { name } = delivery.channel
  const state = own(notices.channels, name)
  if (state === undefined) return notices
  if (!sent.ok) return withChannel(notices, name, failed(delivery, state, sent, now))
  const { failing: _, ...sound } = state
  const told = toldOf(notices, delivery, sent.ref, now)
  if (delivery.letter.kind === 'goodbye') return withChannel(told, name, null)
  const digest = delivery.letter.kind === 'digest' ? { digestAt: now.toISOString() } : {}
  return withChannel(told, name, { ...sound, ...digest })
}

/** Of a channel that is no longer configured, a few tries are enough. */
const FAREWELLS = 5

function failed(
  { letter }: Delivery,
  state: ChannelState,
  { reason, final, wait = 0 }: Extract<Sent, { ok: false }>,
  now: Date,
): ChannelState | null {
  const count = (state.failing?.count ?? 0) + 1
  if (letter.kind === 'goodbye' && (final || count >= FAREWELLS)) return null
  const minutes = Math.max(backoffMinutes(count, LONGEST), Math.min(wait / 60, LONGEST))
  return {
    ...state,
    failing: {
      since: state.failing?.since ?? now.toISOString(),
      ...{ count, reason, retryAt: minutesFrom(now, minutes) },
      ...(final ? { final } : {}),
    },
  }
}

const LONGEST = 30

function withChannel(notices: Notices, name: string, state: ChannelState | null): Notices {
  const others = Object.entries(notices.channels).filter(([one]) => one !== name)
  const mine = state === null ? [] : [[name, state] as const]
  return { ...notices, channels: Object.fromEntries([...others, ...mine]) }
}

function toldOf(notices: Notices, delivery: Delivery, ref: string | undefined, now: Date): Notices {
  const { channel, letter } = delivery
  const open = Object.entries(notices.open).flatMap(([id, notice]): [string, Notice][] => {
    if (!letter.alarms.includes(id)) return [[id, notice]]
    const others = Object.entries(notice.told).filter(([name]) => name !== channel.name)
    if (letter.kind !== 'recovery') {
      const telling = tellingOf(own(notice.told, channel.name), letter, ref, now)
      return [[id, { ...notice, told: Object.fromEntries([...others, [channel.name, telling]]) }]]
    }
    return others.length === 0 ? [] : [[id, { ...notice, told: Object.fromEntries(others) }]]
  })
  return { ...notices, open: Object.fromEntries(open) }
}

function tellingOf(
  before: Telling | undefined,
  { kind, severity }: Delivery['letter'],
  ref: string | undefined,
  now: Date,
): Telling {
  const first = before?.ref ?? (kind === 'alarm' ? ref : undefined)
  return {
    at: now.toISOString(),
    times: (before?.times ?? 0) + 1,
    severity,
    ...(first === undefined ? {} : { ref: first }),
  }
}
