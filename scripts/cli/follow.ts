/** Waits for the end of long work that a request has begun, and tells how it goes. */
import { setTimeout as sleep } from 'node:timers/promises'
import { own } from '../../shared/own.ts'
import type { Progress, Ran, Session } from '../session.ts'
import type { Terminal } from './terminal.ts'

/** How one piece of work ended; `unknown`: nobody saw its end. */
export type Outcome = { work: string; state: 'done' | 'failed' | 'unknown'; reason?: string }

/** Milliseconds between two looks: the state changes with the ticks, once a minute. */
const EVERY = 5_000

/** Milliseconds between two lines about how far it is. */
const FAR = 30_000

/** Milliseconds until work that is nowhere to be seen counts as never begun: a request's invocation lives for less. */
const BEGINNING = 3 * 60_000

/**
 * `started`: keys by kind, such as `copies`, of a run at `at`. Ends when all of it has ended. The end of earlier work of that key isn't
 * one: KV may show the state of before for a while.
 */
export async function follow(
  { started, at }: Pick<Ran, 'started' | 'at'>,
  session: Session,
  terminal: Terminal,
  wait: (milliseconds: number) => Promise<unknown> = sleep,
): Promise<Outcome[]> {
  const keys = Object.entries(started).flatMap(([kind, all]) => all.map((key) => ({ kind, key })))
  const told = new Map<string, string>()
  let known: Readonly<Record<string, string>> = {}
  terminal.note('It goes on without this command too: Ctrl-C ends the watching alone.')
  for (let waited = 0; ; waited += EVERY) {
    const seen = await session.progress()
    if (!seen.ok) terminal.note(seen.error.join('; '))
    const far = waited % FAR === 0 ? await session.howFar() : null
    if (far?.ok === true) known = far.value
    const all = seen.ok ? keys.map((one) => stateOf(one, seen.value, { since: at, waited, far: known })) : []
    for (const { work, text } of all) {
      if (told.get(work) !== text) terminal.note(`${work}: ${text}`)
      told.set(work, text)
    }
    const ends = all.flatMap(({ end }) => (end === null ? [] : [end]))
    if (seen.ok && ends.length === keys.length) return ends
    await wait(EVERY)
  }
}

type Shown = { work: string; text: string; end: Outcome | null }

function stateOf(
  { kind, key }: { kind: string; key: string },
  seen: Progress,
  { since, waited, far }: { since: string; waited: number; far: Readonly<Record<string, string>> },
): Shown {
  const work = `${kind} ${key}`
  const entry = own(own(seen, kind) ?? {}, key)
  if (entry === undefined || Date.parse(entry.at) < Date.parse(since)) {
    if (waited < BEGINNING) return { work, text: 'it begins', end: null }
    const reason = 'it was not seen to begin: request it again if you still want it'
    return { work, text: reason, end: { work, state: 'unknown', reason } }
  }
  const { state, reason, retryAt } = entry
  if (state === 'started' || state === 'running') {
    const how = own(far, work) ?? ''
    return { work, text: `it is in progress${how === '' ? '' : `: ${how}`}`, end: null }
  }
  if (state === 'failed' && retryAt !== undefined)
    return { work, text: `it failed, and is tried again at ${retryAt}: ${reason ?? ''}`, end: null }
  if (state === 'done' || state === 'verified') return { work, text: 'done', end: { work, state: 'done' } }
  const bad = {
    work,
    state: state === 'failed' ? 'failed' : 'unknown',
    ...(reason === undefined ? {} : { reason }),
  } as const
  return { work, text: `${bad.state}: ${reason ?? 'no reason is known'}`, end: bad }
}
