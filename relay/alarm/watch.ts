/** Notices that the edge falls silent, and tells the relay's own channels: once, again after a while, and its end. */
import type { Clock } from '../../shared/clock.ts'
import type { InventoryReply } from '../../shared/relay/protocol.ts'
import {
  type Heard,
  isSilent,
  retryAfter,
  type Terms,
  type Told,
  toldAfter,
  type Word,
  wordFor,
} from '../../shared/silence/silence.ts'
import { type Said, sayOf } from '../../shared/silence/text.ts'
import { viewOf } from '../../shared/silence/view.ts'
import type { JournalStore } from '../engine/journal.ts'
import { type Memory, readMemory, writtenOf } from './memory.ts'

export type Channel = {
  name: string
  /** Null: it took the message. Else why not, without a secret in it. Never rejects. */
  send(said: Said): Promise<string | null>
}

/**
 * A dead man's switch, told every few minutes that the edge is heard (null), or that it isn't; and nothing while that
 * isn't known. Never rejects.
 */
export type Pulse = (said: Said | null) => Promise<string | null>

type WatchOptions = {
  clock: Clock
  /** Absent: nothing is remembered over a restart. */
  store?: JournalStore
  /** Ids of the keys that the relay knows. */
  keys: readonly string[]
  channels: readonly Channel[]
  pulse?: Pulse
  /** Milliseconds that the edge may be late. */
  grace: number
  /** What Incus shows. */
  look(): Promise<InventoryReply>
  log(line: string): void
}

export type Watch = {
  /** A tick came, and says within how many milliseconds the next one does. */
  heard(key: string, again: number): void
  /** Of each Worker that was heard: when, and whether it is silent now. */
  state(): { key: string; at: number; silent: boolean }[]
  stop(): void
}

const CHECK = 30_000
const MINUTE = 60_000
/** A Worker that was never heard is missed after so long. */
const FIRST = 15 * MINUTE
const PULSE = 5 * MINUTE
/** That something was heard is written so often: a silence begins anew with the relay, whatever was written. */
const NOTED = 10 * MINUTE
const NOBODY = ''

type Due = { channel: Channel; key: string; word: Word; heard: Heard; told: Told | null }

export function createWatch({
  clock,
  store = { read: () => null, changed: () => {} },
  keys,
  channels,
  pulse,
  grace,
  look,
  log,
}: WatchOptions): Watch {
  const terms: Terms = { started: clock.now(), grace }
  const memory = readMemory(store.read())
  forgetOthers(memory, keys)
  if ([...memory.heard.keys()].every((key) => key === NOBODY))
    memory.heard.set(NOBODY, { at: 0, again: FIRST })
  const failures = new Map<string, { count: number; retryAt: number }>()
  let hearing = false
  let noted = 0
  let pulsed = Number.NEGATIVE_INFINITY
  let wasSilent = false
  const write = (): void => store.changed(() => writtenOf(memory))

  const dueNow = (now: number): Due[] => {
    // A clock that was ahead must not make a silence look short.
    for (const [key, { at, again }] of memory.heard) if (at > now) memory.heard.set(key, { at: now, again })
    return channels
      .filter(({ name }) => (failures.get(name)?.retryAt ?? 0) <= now)
      .flatMap((channel) =>
        [...memory.heard].flatMap(([key, heard]): Due[] => {
          const told = memory.told.get(channel.name)?.get(key) ?? null
          const word = wordFor(heard, told, terms, now)
          return word === null ? [] : [{ channel, key, word, heard, told }]
        }),
      )
  }
  const tell = async ({ channel: { name, send }, key, word, heard, told }: Due, view: readonly string[]) => {
    const now = clock.now()
    const wrong = await send(sayOf(word, { key, heard, told, view, now }))
    if (wrong !== null) {
      const count = (failures.get(name)?.count ?? 0) + 1
      failures.set(name, { count, retryAt: now + retryAfter(count) })
      return log(`alarm: "${name}" did not take the message that the edge is ${WORDS[word]}: ${wrong}`)
    }
    failures.delete(name)
    const next = toldAfter(word, heard, told, now)
    const of = memory.told.get(name) ?? new Map<string, Told>()
    if (next === null) of.delete(key)
    else of.set(key, next)
    memory.told.set(name, of)
    write()
  }
  const view = async (): Promise<string[]> => {
    try {
      return viewOf((await look()).remotes, clock.now())
    } catch (cause) {
      return [`Incus could not be asked: ${String(cause)}`]
    }
  }
  const silent = (now: number) => [...memory.heard].filter(([, heard]) => isSilent(heard, terms, now))
  // What was heard before a restart has to be recent enough by itself: else one that starts over and over is never late.
  const isHeard = (now: number): boolean =>
    hearing && [...memory.heard.values()].every((heard) => !isSilent(heard, { ...terms, started: 0 }, now))
  const beat = async (now: number): Promise<void> => {
    const [first] = silent(now)
    if (first === undefined && !isHeard(now)) return
    const isNews = (first !== undefined) !== wasSilent
    if (pulse === undefined || (!isNews && now - pulsed < PULSE)) return
    pulsed = now
    wasSilent = first !== undefined
    const said =
      first === undefined
        ? null
        : sayOf('silent', { key: first[0], heard: first[1], told: null, view: [], now })
    const wrong = await pulse(said)
    if (wrong !== null) log(`alarm: the ping was not taken: ${wrong}`)
  }
  const check = async (): Promise<void> => {
    const now = clock.now()
    const due = dueNow(now)
    const seen = due.some(({ word }) => word !== 'over') ? await view() : []
    await Promise.all([beat(now), ...due.map((one) => tell(one, seen))])
  }
  let calm: () => void = () => {}
  let stopped = false
  const schedule = (): void => {
    calm = clock.after(CHECK, () => {
      const again = (): void => {
        if (!stopped) schedule()
      }
      check().then(again, (cause: unknown) => {
        log(`alarm: a check failed: ${String(cause)}`)
        again()
      })
    })
  }
  schedule()
  return {
    heard(key, again) {
      const now = clock.now()
      hearing = true
      const before = memory.heard.get(key)
      memory.heard.set(key, { at: now, again })
      if (memory.heard.has(NOBODY)) memory.heard.set(NOBODY, { at: now, again: Number.MAX_SAFE_INTEGER })
      if (before?.again === again && now - noted < NOTED) return
      noted = now
      write()
    },
    state: () =>
      [...memory.heard].flatMap(([key, heard]) =>
        key === NOBODY ? [] : [{ key, at: heard.at, silent: isSilent(heard, terms, clock.now()) }],
      ),
    stop() {
      stopped = true
      calm()
    },
  }
}

/** Keys that the relay no longer knows can't be heard. */
function forgetOthers({ heard, told }: Memory, keys: readonly string[]): void {
  const known = new Set([NOBODY, ...keys])
  for (const map of [heard, ...told.values()])
    for (const key of map.keys()) if (!known.has(key)) map.delete(key)
}

const WORDS: Record<Word, string> = { silent: 'silent', still: 'still silent', over: 'heard again' }
