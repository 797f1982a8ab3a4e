/**
 * What has to be told now, to which channel. A function of what was told, how things are and the time; `settle`
 * notes what came of each message.
 */
import type { Ledger } from '../ledger/ledger.ts'
import { own } from '../own.ts'
import type { Promised } from '../promise/judge.ts'
import { textsOf, type Verdict } from '../promise/verdict.ts'
import { nextSlot } from '../schedule/slots.ts'
import { openZone } from '../schedule/zone.ts'
import { type Alarm, alarmsOf, gravest } from './alarm.ts'
import { withBack } from './back.ts'
import type { Channel, Gravity } from './channel.ts'
import { digestLetter } from './digest.ts'
import {
  againLetter,
  alarmLetter,
  goodbyeLetter,
  type Letter,
  overMessage,
  recoveryLetter,
  reminderLetter,
  severalLetter,
  type Told,
} from './letter.ts'
import type { Notice, Notices, Telling } from './notices.ts'
import { after, openNow, SETTLED } from './opened.ts'
import { withRenamed } from './renamed.ts'
import { accepts, isOfChannel, isQuiet } from './route.ts'
import { PROMISE, promiseId, type Trouble, troublesOf } from './trouble.ts'

export type Situation = {
  /** Null: the applied configuration can't be read, so the channels are those from before. */
  channels: readonly Channel[] | null
  verdict: Verdict
  /** Whether all that there is to know could be read. What can't be seen is not over. */
  sees: boolean
  ledger: Ledger | null
}

export type Delivery = {
  channel: Channel
  letter: Letter
  /** The first message, to be replaced in its place. */
  edit?: { ref: string; message: Letter['message'] }
  /** What the doctor finds comes along: once a week, with a digest. */
  examines?: true
}

export type Decision = { notices: Notices; due: Delivery[] }

const MINUTE = 60_000
const HOUR = 60 * MINUTE
/** A warning is told when it has lasted so long: what mends itself meanwhile isn't. */
const LASTING = 15 * MINUTE
/** Since the last time, after it was told once, twice, and more often. */
const REMINDERS = [6 * HOUR, 24 * HOUR, 72 * HOUR] as const
/** Between two messages about the same alarm, because it is about one more; then twice as long, up to the other. */
const AGAIN = 10 * MINUTE
const SELDOM = HOUR
/** So many new alarms at once are told one by one. */
const FEW = 4

export function decide(before: Notices, situation: Situation, now: Date): Decision {
  const channels = situation.channels ?? Object.values(before.channels).map(({ as }) => as)
  const troubles = troublesOf(situation.verdict)
  const renamed = withRenamed(before, channels)
  const known = withChannels(renamed, channels, situation.channels !== null, now)
  if (Object.keys(known.channels).length === 0) return { notices: { open: {}, channels: {} }, due: [] }
  const noted = situation.sees ? withBack(known, troubles, now) : known
  const alarms = alarmsOf(troubles, membersOf(noted))
  const isNoted = (mine: readonly Trouble[]): boolean => isWorthNoting(mine, channels, now)
  const open = openNow(noted.open, { alarms, isNoted }, situation, now)
  const notices = { ...noted, open }
  const due = channels.flatMap((channel) => dueOn(channel, notices, alarms, situation, now))
  return { notices: withoutIdle(notices), due: [...due, ...goodbyes(notices, channels, situation, now)] }
}

const membersOf = ({ open }: Notices): Map<string, string> =>
  new Map(Object.entries(open).flatMap(([id, { members }]) => members.map((member) => [member, id] as const)))

/** Those that are configured no longer stay until they were told so. */
function withChannels(before: Notices, channels: readonly Channel[], isKnown: boolean, now: Date): Notices {
  const gone = isKnown
    ? Object.entries(before.channels).filter(([name]) => !channels.some((one) => one.name === name))
    : []
  const kept = channels.map((as) => {
    const { digestAt, failing } = own(before.channels, as.name) ?? {}
    const digest = as.digest === null ? {} : { digestAt: digestAt ?? now.toISOString() }
    return [as.name, { as, ...digest, ...(failing === undefined ? {} : { failing }) }] as const
  })
  return { ...before, channels: Object.fromEntries([...gone, ...kept]) }
}

/** What may be over before it is told needs no note, where it says itself since when it stands. */
const isWorthNoting = (troubles: readonly Trouble[], channels: readonly Channel[], now: Date): boolean =>
  channels.some((channel) => {
    const mine = wanted(channel, troubles)
    return mine.length > 0 && (isRipe(mine, null, now) || mine.every(({ since }) => since === null))
  })

/** What the channel is for. */
function wanted(channel: Channel, troubles: readonly Trouble[]): Trouble[] {
  const mine = troubles.filter(accepts(channel))
  const isLow = channel.severity === 'critical' && gravest(mine) !== 'critical'
  return isLow ? mine.filter(isOfChannel) : mine
}

/** Whether it has lasted long enough to be told. */
function isRipe(troubles: readonly Trouble[], noticed: string | null, now: Date): boolean {
  if (gravest(troubles) === 'critical' || troubles.some(isOfChannel)) return true
  const [first] = [
    ...(noticed === null ? [] : [noticed]),
    ...troubles.flatMap(({ since }) => since ?? []),
  ].sort()
  return first !== undefined && after(first, LASTING, now)
}

function dueOn(
  channel: Channel,
  notices: Notices,
  alarms: ReadonlyMap<string, Alarm>,
  situation: Situation,
  now: Date,
): Delivery[] {
  const { failing } = own(notices.channels, channel.name) ?? {}
  if (failing !== undefined && failing.retryAt > now.toISOString()) return []
  const { promises } = situation.verdict
  const fresh: Told[] = []
  const others: Delivery[] = []
  for (const [id, notice] of Object.entries(notices.open)) {
    const telling = own(notice.told, channel.name)
    const over = telling === undefined ? null : recovery({ id, notice, channel, telling }, promises, now)
    if (over !== null) others.push(over)
    const troubles = wanted(channel, alarms.get(id)?.troubles ?? [])
    if (notice.gone !== undefined || troubles.length === 0) continue
    const severity = gravest(troubles)
    if (severity !== 'critical' && isQuiet(channel, now)) continue
    const told = {
      id,
      notice,
      troubles,
      times: telling?.times ?? 0,
      fresh: freshIn(notice, telling, troubles),
    }
    if (telling === undefined || isWorse(severity, telling)) {
      if (isRipe(troubles, notice.began, now)) fresh.push(told)
    } else if (isMore(told, telling, now)) fresh.push(told)
    else if (after(telling.at, reminderAfter(telling), now))
      others.push({ channel, letter: reminderLetter(told, promises, now) })
  }
  const due = [
    ...newOnes(channel, fresh, promises, now),
    ...others,
    ...digests(channel, notices, situation, now),
  ]
  if (due.length > 0 || failing === undefined || isQuiet(channel, now)) return due
  return [{ channel, letter: againLetter(channel, failing.since) }]
}

const isMore = ({ fresh }: Told, { at, times }: Telling, now: Date): boolean =>
  fresh.length > 0 && after(at, Math.min(AGAIN * 2 ** (times - 1), SELDOM), now)

/** What has come since that channel was told, of what it is for. */
function freshIn(
  { fresh = {} }: Notice,
  telling: Telling | undefined,
  troubles: readonly Trouble[],
): string[] {
  if (telling === undefined) return []
  const mine = new Set(troubles.flatMap(({ news }) => news))
  return Object.entries(fresh).flatMap(([name, at]) => (at > telling.at && mine.has(name) ? [name] : []))
}

const isWorse = (severity: Gravity, telling: Telling): boolean =>
  severity === 'critical' && telling.severity !== 'critical'

const reminderAfter = ({ times }: Telling): number =>
  REMINDERS[Math.min(times, REMINDERS.length) - 1] ?? REMINDERS[0]

function newOnes(
  channel: Channel,
  fresh: readonly Told[],
  promises: readonly Promised[],
  now: Date,
): Delivery[] {
  const [several, alone] = fresh.length > FEW ? [fresh, []] : [[], fresh]
  return [
    ...(several.length === 0 ? [] : [{ channel, letter: severalLetter(several) }]),
    ...alone.map((told) => ({ channel, letter: alarmLetter(told, promises, now) })),
  ]
}

type Recovering = { id: string; notice: Notice; channel: Channel; telling: Telling }

function recovery(
  { id, notice, channel, telling }: Recovering,
  promises: readonly Promised[],
  now: Date,
): Delivery | null {
  const { gone, members } = notice
  if (gone === undefined || !after(gone, SETTLED, now) || isQuiet(channel, now)) return null
  const still = promises.filter((one) => members.includes(promiseId(one)))
  const kept = still.filter(({ state }) => state === 'kept')
  const made = members.filter((member) => member.startsWith(PROMISE)).length
  const counted = { severity: telling.severity, kept, dropped: made - still.length }
  const edit = telling.ref === undefined ? {} : { edit: { ref: telling.ref, message: overMessage(notice) } }
  return { channel, letter: recoveryLetter(id, notice, counted, now), ...edit }
}

function digests(channel: Channel, notices: Notices, situation: Situation, now: Date): Delivery[] {
  const { digestAt } = own(notices.channels, channel.name) ?? {}
  if (channel.digest === null || digestAt === undefined) return []
  const { timezone, digest: schedule } = channel
  const next = nextSlot({ schedule, timezone, after: new Date(digestAt) })
  if (next === null || next > now) return []
  const letter = digestLetter({ ...situation, since: digestAt }, now)
  const isNew = weekOf(now, timezone) !== weekOf(new Date(digestAt), timezone)
  return [{ channel, letter, ...(isNew ? { examines: true } : {}) }]
}

/** Number of the week that begins on Monday, by the local calendar. */
function weekOf(at: Date, timezone: string): number {
  const wall = at.getTime() + openZone(timezone).offsetAt(at.getTime())
  // 1 January 1970 was a Thursday.
  return Math.floor((wall / (24 * HOUR) + 3) / 7)
}

function goodbyes(
  { channels }: Notices,
  configured: readonly Channel[],
  { verdict }: Situation,
  now: Date,
): Delivery[] {
  return Object.values(channels).flatMap(({ as, failing }) => {
    if (configured.some(({ name }) => name === as.name)) return []
    if (failing !== undefined && failing.retryAt > now.toISOString()) return []
    return [{ channel: as, letter: goodbyeLetter(as, textsOf(verdict), now) }]
  })
}

/** What is over, and of which every channel that was told knows it. */
function withoutIdle(notices: Notices): Notices {
  const open = Object.entries(notices.open).flatMap(([id, notice]): [string, Notice][] => {
    const told = Object.entries(notice.told).filter(([name]) => Object.hasOwn(notices.channels, name))
    if (notice.gone !== undefined && told.length === 0) return []
    return [[id, { ...notice, told: Object.fromEntries(told) }]]
  })
  return { ...notices, open: Object.fromEntries(open) }
}
