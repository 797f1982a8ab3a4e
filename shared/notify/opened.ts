/** Which alarms stand, and what is noted of them: what they are about, what came to that, and when they are over. */
import type { Verdict } from '../promise/verdict.ts'
import type { Alarm } from './alarm.ts'
import { titleOf } from './letter.ts'
import type { Notice, Notices } from './notices.ts'
import { PROMISE, promiseId, RELAY, SILENT, type Trouble } from './trouble.ts'

/** Over only after so many milliseconds without it: a server that comes and goes is one alarm. */
export const SETTLED = 5 * 60_000
/** So many are remembered of what an alarm is about. */
const MOST = 2000

export const after = (at: string, ms: number, now: Date): boolean =>
  now.getTime() - new Date(at).getTime() >= ms

type Seen = { verdict: Verdict; sees: boolean }
/** `isNoted`: whether what is new is worth a note yet. */
type Standing = { alarms: ReadonlyMap<string, Alarm>; isNoted(troubles: readonly Trouble[]): boolean }

export function openNow(
  open: Notices['open'],
  { alarms, isNoted }: Standing,
  seen: Seen,
  now: Date,
): Notices['open'] {
  const places = new Map(
    [...alarms.values()].flatMap(({ id, troubles }) => troubles.map((one) => [one.id, id] as const)),
  )
  const before = Object.entries(open).map(([id, notice]): [string, Notice] => {
    const alarm = alarms.get(id)
    const left = withoutMoved(id, notice, places)
    if (alarm !== undefined) return [id, withTroubles(left, alarm, now)]
    return [id, isAway(id, left, places) ? stillOpen(left) : withoutTrouble(left, seen, now)]
  })
  const fresh = [...alarms.values()]
    .filter(({ id, troubles }) => !Object.hasOwn(open, id) && isNoted(troubles))
    .map((alarm): [string, Notice] => [alarm.id, noticeOf(alarm, now)])
  return Object.fromEntries([...before, ...fresh])
}

/** What goes with another alarm now is over when that is. */
const withoutMoved = (id: string, notice: Notice, places: ReadonlyMap<string, string>): Notice => ({
  ...notice,
  members: notice.members.filter((member) => member.startsWith(SILENT) || (places.get(member) ?? id) === id),
})

/** A server that was silent before the relay was isn't over: nobody can ask it. */
const isAway = (id: string, { members }: Notice, places: ReadonlyMap<string, string>): boolean =>
  id !== RELAY && members.some((member) => member.startsWith(SILENT) && places.has(member))

const stillOpen = ({ gone: _, ...notice }: Notice): Notice => notice

function noticeOf({ troubles }: Alarm, now: Date): Notice {
  const [began = now.toISOString()] = [
    now.toISOString(),
    ...troubles.flatMap(({ since }) => since ?? []),
  ].sort()
  return {
    ...{ since: now.toISOString(), began, title: titleOf(troubles) },
    ...{ members: troubles.map(({ id }) => id), ...eachOf(troubles), told: {} },
  }
}

function eachOf(troubles: readonly Trouble[]): Pick<Notice, 'each'> {
  const each = [...new Set(troubles.flatMap(({ news }) => news))]
  return each.length === 0 ? {} : { each }
}

/** One that comes and goes is told once. */
function withEach({ each = [] }: Notice, troubles: readonly Trouble[]): Pick<Notice, 'each'> {
  const now = eachOf(troubles).each ?? []
  const all = [...new Set([...each, ...now])].slice(-MOST)
  return all.length === 0 ? {} : { each: all }
}

/** What it is about now that it wasn't before, until every channel was told. */
function freshOf(notice: Notice, troubles: readonly Trouble[], now: Date): Pick<Notice, 'fresh'> {
  const { each: known, fresh = {}, members, told } = notice
  // An earlier version didn't note what was told.
  if (known === undefined) return {}
  const tellings = Object.values(told).map(({ at }) => at)
  const untold = Object.entries(fresh).filter(([, at]) => tellings.some((one) => one < at))
  // A promise may only have got another reason.
  const isTold = ({ id }: Trouble): boolean => id.startsWith(PROMISE) && members.includes(id)
  const names = troubles.filter((one) => !isTold(one)).flatMap(({ news }) => news)
  const more = names.filter((name) => !known.includes(name)).map((name) => [name, now.toISOString()] as const)
  const all = [...untold, ...more].slice(-MOST)
  return all.length === 0 ? {} : { fresh: Object.fromEntries(all) }
}

/** What was over and told to be is another occurrence, also where a channel that failed doesn't know that yet. */
function withTroubles(before: Notice, alarm: Alarm, now: Date): Notice {
  const { gone, fresh: _, ...notice } = before
  if (gone !== undefined && after(gone, SETTLED, now)) return { ...noticeOf(alarm, now), told: notice.told }
  const members = [...new Set([...notice.members, ...alarm.troubles.map(({ id }) => id)])]
  return { ...notice, members, ...withEach(notice, alarm.troubles), ...freshOf(before, alarm.troubles, now) }
}

/** It is over once everything could be seen and none of it stands: a promise must be kept, or be made no longer. */
function withoutTrouble(notice: Notice, { verdict, sees }: Seen, now: Date): Notice {
  const members = new Set(notice.members)
  const pending = verdict.promises.some((one) => one.state === 'pending' && members.has(promiseId(one)))
  if (notice.gone !== undefined || !sees || pending) return notice
  return { ...notice, gone: now.toISOString() }
}
