/** Why a promise isn't kept, by what the ledger knows of the tries. */
import { remoteOf } from '../incus/subject.ts'
import type { Attempt, Ledger, SlotRecord } from '../ledger/ledger.ts'
import { type Work, workKey } from '../ledger/work.ts'
import { own } from '../own.ts'
import type { Policy } from '../policy/policy.ts'
import { COPY } from '../work/copy/entry.ts'
import { EXPORT, exportIn } from '../work/export/entry.ts'
import { ENDS } from '../work/life.ts'
import { type Fact, type Facts, goneIn, parsePair } from './facts.ts'
import { unexplained, waits, withRetry } from './reason.ts'
import type { PromiseKind } from './terms.ts'

export type Known = { facts: Facts; ledger: Ledger | null }

export type Judged = {
  kind: PromiseKind
  policy: Policy
  /** Key of the instance. */
  subject: string
  /** Of a copy its key, of an export its store. */
  target: string | null
  fact: Fact
}

/** Keys of what has to answer. */
export const placesOf = ({ kind, subject, target }: Judged): string[] =>
  kind === 'copy' && target !== null ? [subject, target] : [subject]

export const silenceOf = (key: string, { silent = {} }: Facts) => own(silent, remoteOf(key))

export function whyBroken(judged: Judged, { facts, ledger }: Known, seen: Date): string {
  const [silent] = placesOf(judged).flatMap((key) => {
    const silence = silenceOf(key, facts)
    return silence === undefined
      ? []
      : [`${remoteOf(key)} has given no answer since ${silence.since}: ${silence.reason}`]
  })
  return silent ?? tried(judged, ledger) ?? whyOlder(judged) ?? unexplained(seen)
}

/** There was a newer one. Of a copy a condition says so. */
function whyOlder({ kind, fact }: Judged): string | null {
  const [gone, at] = goneIn(fact, kind)
  const [name] = parsePair(kind === 'copy' ? undefined : gone) ?? []
  return name === undefined
    ? null
    : `the newest one, ${name}, was gone at ${at}: was it deleted, or expired on request?`
}

/** What is missing, and why none has come since. */
export function whyGone(judged: Judged, { ledger }: Known): string {
  const { kind, target, fact } = judged
  const [name] = parsePair(goneIn(fact, kind)[0]) ?? []
  const what = {
    snapshot: `the last one, ${name}, is gone`,
    copy: `the verified snapshot ${name} is gone from the copy ${target}`,
    export: `the export of ${name} is gone from ${target}`,
  }[kind]
  const why = tried(judged, ledger)
  return why === null ? what : `${what}; ${why}`
}

function tried({ kind, policy, subject, target }: Judged, ledger: Ledger | null): string | null {
  if (kind === 'snapshot') return triedSnapshot(policy, subject, ledger)
  const work = ledger?.work ?? {}
  if (kind === 'copy') return triedLong(own(work, workKey(COPY, `${subject}>${target}`)), 'copy')
  return triedLong(exportIn({ work }, subject, target ?? ''), EXPORT)
}

/** Why the open slot has none yet, or the last one that is over got none. */
function triedSnapshot({ name }: Policy, subject: string, ledger: Ledger | null): string | null {
  const known = own(ledger?.policies ?? {}, name)
  const attempt: Attempt | undefined = own(known?.open?.attempts ?? {}, subject)
  if (attempt !== undefined) return tryText(attempt)
  const [last] = known?.slots ?? []
  const failure = last?.failures?.find(({ instance }) => instance === subject)
  if (failure !== undefined) return failure.reason
  return last === undefined || last.outcome === 'served' ? null : whyOver(last)
}

/** What a whole server or a pause kept from being taken then says nothing of now. */
function whyOver({ slot, outcome, reason, failures = [] }: SlotRecord): string | null {
  const isPast = outcome === 'skipped' || failures.some(({ instance }) => instance.startsWith('remote:'))
  return isPast ? waits(`its slot of ${slot} was ${outcome}`) : (reason ?? null)
}

function triedLong(entry: Work | undefined, what: string): string | null {
  if (entry === undefined || ENDS[entry.state] === 'good') return null
  if (ENDS[entry.state] === null) return `the ${what} has been running since ${entry.at}`
  return tryText(entry)
}

const tryText = ({
  reason = 'its last try failed',
  retryAt,
}: {
  reason?: string
  retryAt?: string
}): string => withRetry(reason, retryAt)
