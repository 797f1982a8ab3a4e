/**
 * Tells what there is to tell, after a tick. KV has no lock and may be a minute stale, so a tick that has something
 * to send first writes that it will, waits until every reader sees that, and sends only if it still stands there.
 */
import type { Diagnosis } from '../../shared/doctor/diagnosis.ts'
import type { Delivery } from '../../shared/notify/decide.ts'
import { withFindings } from '../../shared/notify/digest.ts'
import type { Letter } from '../../shared/notify/letter.ts'
import type { Claim, Notices } from '../../shared/notify/notices.ts'
import { type Sent, settle } from '../../shared/notify/settle.ts'
import { own } from '../../shared/own.ts'
import type { State } from '../state/ledger.ts'
import { writeNotices } from '../state/notices.ts'
import { type Looked, lookAround } from './look.ts'
import { editMessage, type Sender, sendLetter } from './send.ts'

export type Notifier = Sender & {
  state: State
  /** The same, as the tick before has read and written it. */
  known: Pick<State, 'get'>
  /** Null: this invocation can't wait. Then a later tick sends. */
  wait: ((ms: number) => Promise<void>) | null
  /** Milliseconds until what is written to KV is read everywhere. */
  settled: number
  nonce(): string
  /** What the doctor finds; absent: it isn't asked. */
  examine?(): Promise<Diagnosis>
  /** What is wrong beside what KV knows. */
  wrong(): string[]
  /** What this process has sent, should KV not take it. */
  memory: Map<string, Sent>
  /** Alarms that it has told, of which KV took no note. */
  unwritten: { open: Notices['open'] }
  /** What it has read when there was nothing to tell, and until when that is so if nothing changes. */
  calm: { read: string; until: number }
}

/** A claim that is older was given up: its invocation was ended. */
const GIVEN_UP = 180_000
/** Longer than KV takes to accept another write to the same key. */
const PAUSE = 5_000
/** Messages a tick: the platform allows 50 requests, and the run needs some itself. */
const MOST = 8
const MOST_EACH = 4
/** So many channels get their first one at once. */
const MOST_FIRST = 20
const REMEMBERED = 500

export async function notify(io: Notifier): Promise<void> {
  const { read, state } = await readAll(io)
  if (read === io.calm.read && io.now().getTime() < io.calm.until) return
  const looked = await lookAround(state, io, io.now())
  if (looked === null) return
  if (!looked.changed) return stayCalm(read, looked, io)
  const { claim } = looked.before
  if (io.wait === null && claim?.kind === 'returns' && ageOf(claim, io) >= returnsAfter(io))
    return deliver(looked, io)
  const takesOver = io.wait !== null && claim?.kind === 'returns'
  if (claim !== undefined && !takesOver && ageOf(claim, io) < GIVEN_UP) return
  const mine = await writeClaim(looked.before, io)
  if (mine === null) return io.wait === null ? undefined : deliverUnwritten(looked, io)
  if (io.wait === null) return
  await io.wait(takesOver && mayStillSend(claim, io) ? 2 * io.settled : io.settled)
  // It may have ended meanwhile.
  const again = await lookAround(io.state, io, io.now())
  if (again?.before.claim?.by === mine.by) await deliver(again, io)
}

/** Requests come each minute at most. Of two in the same minute the second one finds the first one's note too young. */
const returnsAfter = ({ settled }: Notifier): number => 1.5 * settled

/** Whether a request that doesn't see yet that a tick took over may send: what it writes then has to be seen, too. */
const mayStillSend = (claim: Claim, io: Notifier): boolean =>
  ageOf(claim, io) + io.settled >= returnsAfter(io)

const KEYS = ['config', 'ledger', 'promises', 'notices']

/** As it stands in KV, and how it is read from there: to parse and judge it takes most of a tick's time. */
async function readAll({ state, known: tick, wrong }: Notifier): Promise<{ read: string; state: State }> {
  const texts = await Promise.all(KEYS.map((key) => tick.get(key)))
  const known = new Map(KEYS.map((key, at) => [key, texts[at] ?? null]))
  const get = (key: string): Promise<string | null> =>
    known.has(key) ? Promise.resolve(known.get(key) ?? null) : tick.get(key)
  return { read: JSON.stringify([texts, wrong()]), state: { ...state, get } }
}

/** What changes by time alone, beside a promise that is broken, is told so much later at most. */
const LOOKS = 4 * 60_000

function stayCalm(read: string, { until }: Looked, io: Notifier): void {
  const next = until === null ? Number.POSITIVE_INFINITY : new Date(until).getTime()
  io.calm.read = read
  io.calm.until = Math.min(next, io.now().getTime() + LOOKS)
}

/** A clock that was ahead counts as long ago. */
function ageOf({ at }: Claim, { now }: Notifier): number {
  const age = now().getTime() - new Date(at).getTime()
  return age < -GIVEN_UP ? GIVEN_UP : age
}

/** Null: KV doesn't take it. */
async function writeClaim(notices: Notices, io: Notifier): Promise<Claim | null> {
  const kind = io.wait === null ? 'returns' : 'waits'
  const claim: Claim = { by: io.nonce(), at: io.now().toISOString(), kind }
  const write = (): Promise<boolean> => keep({ ...notices, claim }, io)
  if (await write()) return claim
  if (io.wait === null) return null
  // A tick at the same time may have written within that second.
  await io.wait(PAUSE)
  return (await write()) ? claim : null
}

async function deliver({ before, notices, due }: Looked, io: Notifier): Promise<void> {
  const { claim: _, ...rest } = await send(notices, await withExam(due, io), io)
  if (!(await keep(rest, io))) {
    await io.wait?.(PAUSE)
    if (!(await keep(rest, io))) return remember(before, rest, io)
  }
  io.unwritten.open = {}
}

/** All parties are asked once, whatever many channels get the digest. */
async function withExam(due: readonly Delivery[], { examine }: Notifier): Promise<readonly Delivery[]> {
  if (examine === undefined || !due.some(({ examines }) => examines)) return due
  const diagnosis = await examine().catch(() => null)
  return due.map((one) =>
    one.examines === true ? { ...one, letter: withFindings(one.letter, diagnosis) } : one,
  )
}

/** KV takes no writes, as when the day's allowance is used up: only this process knows what it has told. */
async function deliverUnwritten({ before, notices, due }: Looked, io: Notifier): Promise<void> {
  const isOwn = ({ alarms }: Letter): boolean =>
    alarms.every((id) => !Object.hasOwn(before.open, id) && Object.hasOwn(io.unwritten.open, id))
  const urgent = due.filter(({ letter }) =>
    letter.kind === 'alarm' ? letter.severity === 'critical' : letter.kind === 'recovery' && isOwn(letter),
  )
  remember(before, await send(notices, urgent, io), io)
}

/** `before`: as KV has it. */
function remember(before: Notices, { open }: Notices, { unwritten }: Notifier): void {
  const told = Object.entries(open).filter(([id, notice]) =>
    Object.keys(notice.told).some((name) => own(own(before.open, id)?.told ?? {}, name) === undefined),
  )
  unwritten.open = Object.fromEntries(told)
}

const nameOf = ({ channel, letter }: Delivery): string => `${channel.name} ${letter.id}`

async function keep(notices: Notices, { state }: Notifier): Promise<boolean> {
  try {
    await writeNotices(state, notices)
    return true
  } catch {
    return false
  }
}

async function send(notices: Notices, due: readonly Delivery[], io: Notifier): Promise<Notices> {
  const some = firstOf(due)
  const names = [...new Set(some.map(({ channel }) => channel.name))]
  const sent = await Promise.all(
    names.map((name) =>
      sendInOrder(
        some.filter(({ channel }) => channel.name === name),
        io,
      ),
    ),
  )
  return sent.flat().reduce((all, [delivery, came]) => settle(all, delivery, came, io.now()), notices)
}

/** What is critical comes first, and the first of each channel before the second of any; the others follow at the next tick. */
function firstOf(due: readonly Delivery[]): Delivery[] {
  const urgent = due.filter(isCritical)
  const ranks = new Map<string, number>()
  const ranked = [...urgent, ...due.filter((one) => !isCritical(one))].map((delivery) => {
    const rank = ranks.get(delivery.channel.name) ?? 0
    ranks.set(delivery.channel.name, rank + 1)
    return { delivery, rank }
  })
  const few = ranked.filter(({ rank }) => rank < MOST_EACH).sort((one, other) => one.rank - other.rank)
  const many = Math.min(Math.max(MOST, ranks.size), MOST_FIRST)
  return few.slice(0, many).map(({ delivery }) => delivery)
}

const isCritical = ({ letter: { kind, severity } }: Delivery): boolean =>
  kind === 'alarm' && severity === 'critical'

/** After a failure the rest waits. */
async function sendInOrder(deliveries: readonly Delivery[], io: Notifier): Promise<[Delivery, Sent][]> {
  const came: [Delivery, Sent][] = []
  for (const delivery of deliveries) {
    const sent = await sendOnce(delivery, io)
    came.push([delivery, sent])
    if (!sent.ok) break
    if (delivery.edit !== undefined) await editMessage(delivery.channel, delivery.letter, delivery.edit, io)
  }
  return came
}

async function sendOnce(delivery: Delivery, io: Notifier): Promise<Sent> {
  const { memory } = io
  const known = memory.get(nameOf(delivery))
  if (known !== undefined) return known
  const sent = await sendLetter(delivery.channel, delivery.letter, io)
  if (sent.ok) memory.set(nameOf(delivery), sent)
  for (const oldest of memory.keys()) {
    if (memory.size <= REMEMBERED) break
    memory.delete(oldest)
  }
  return sent
}
