/** What of a verdict people are told: each broken promise and each condition, with the cause by which they are folded. */
import { withoutAnswer } from '../answered.ts'
import { instanceOf, remotesIn, replaceKeys } from '../incus/subject.ts'
import { targetIn } from '../ledger/work.ts'
import { numberless } from '../numberless.ts'
import type { Condition } from '../promise/condition.ts'
import type { Promised } from '../promise/judge.ts'
import { isUnexplained, withoutRetry } from '../promise/reason.ts'
import { brokenText, isBroken } from '../promise/text.ts'
import type { Verdict } from '../promise/verdict.ts'
import type { Gravity } from './channel.ts'

export type Trouble = {
  /** The same trouble has the same id at each look. */
  id: string
  /** Those with the same cause are told together. */
  cause: string
  severity: Gravity
  /** Empty: it is about none in particular. */
  policies: string[]
  remotes: string[]
  /** Key of the instance. */
  subject: string | null
  text: string
  reason: string | null
  /** Why a remote gives no answer, see Condition; null: it is about something else, or that isn't known. */
  code: string | null
  since: string | null
  /** What it is about one by one, where one more is told though the alarm was told before. */
  news: string[]
}

/** Causes of promises that are broken without a known reason begin so. */
export const LATE = 'late '

/** Ids of broken promises begin so. */
export const PROMISE = 'promise '

export const promiseId = ({ kind, policy, subject }: Pick<Promised, 'kind' | 'policy' | 'subject'>): string =>
  `${PROMISE}${kind} ${policy} ${subject}`

export function troublesOf({ promises, conditions }: Verdict): Trouble[] {
  const silent = silentIn(conditions)
  const broken = promises.filter(isBroken).map((promised) => ofPromise(promised, silent))
  const others = conditions.flatMap((one) => {
    const { id, severity } = one
    return severity === 'info' || isPast(id) ? [] : [ofCondition(one, severity, promises, silent)]
  })
  return [...others, ...broken]
}

/** Remotes without an answer, each with the cause: if the relay gives none, that is one for all of them. */
function silentIn(conditions: readonly Condition[]): Map<string, string> {
  const silent = conditions.flatMap(({ id, kind, about, code }) =>
    kind === 'remote' && about !== null && id === `remote ${about}`
      ? [[about, code === RELAY ? RELAY : id] as const]
      : [],
  )
  return new Map(silent)
}

/** That the relay gives no answer: the code of that, and what is told of it. */
export const RELAY = 'relay'

/** Alarms of a remote or relay without an answer have these ids. */
export const isOfSilence = (alarm: string): boolean => alarm === RELAY || alarm.startsWith('remote ')

/** Slots that are over: what kept them from being served was told when it happened. The digest counts them. */
const isPast = (id: string): boolean => id.startsWith('slots ')

function ofPromise(promised: Promised, silent: ReadonlyMap<string, string>): Trouble {
  const { kind, policy, subject, target, reason, since } = promised
  const remotes = remotesIn([subject, target])
  const away = remotes.map((remote) => silent.get(remote)).find((one) => one !== undefined)
  const why = reason === null || isUnexplained(reason) ? null : reason
  const cause =
    why === null
      ? `${LATE}${kind} ${policy} ${remotes.join(' ')}`
      : because(why, remotes, [subject, target ?? ''])
  return {
    id: promiseId(promised),
    cause: away ?? cause,
    severity: 'critical',
    ...{ policies: [policy], remotes, subject, text: brokenText(promised), reason: why, since },
    code: null,
    // Of a server that is down more and more follows by itself.
    news: away !== undefined ? [] : [subject],
  }
}

function ofCondition(
  condition: Condition,
  severity: Gravity,
  promises: readonly Promised[],
  silent: ReadonlyMap<string, string>,
): Trouble {
  const { id, kind, about, text, reason = null, code = null, since } = condition
  const subject = kind === 'instance' ? about : null
  const target = subject === null ? '' : targetIn(id)
  const remotes = subject === null ? remotesOf(condition, promises) : remotesIn([subject, target])
  const away = remotes.map((remote) => silent.get(remote)).find((one) => one !== undefined)
  const own = reason === null ? causeOf(id, text) : because(reason, remotes, [about ?? '', target])
  return {
    id: `${ID} ${wordOf(id) === 'found' ? causeOf(id, text) : id}`,
    cause: away !== undefined && (reason !== null || id === `remote ${about}`) ? away : own,
    ...{ severity, policies: policiesIn(condition, promises), remotes, subject, text, reason, code, since },
    news:
      condition.each ?? (subject === null || away !== undefined || wordOf(id) === 'paused' ? [] : [subject]),
  }
}

const ID = 'condition'

/** Ids of servers without an answer begin so. */
export const SILENT = `${ID} remote `

const wordOf = (id: string): string => id.split(' ', 1)[0] ?? ''

/** Of a condition, as `brake`; empty: it is none. */
export const kindOf = ({ id }: Pick<Trouble, 'id'>): string =>
  id.startsWith(`${ID} `) ? wordOf(id.slice(ID.length + 1)) : ''

/** Kinds of which there may be one for each instance: one message is enough. */
const FOLDED = ['brake', 'paused', 'lost']

function causeOf(id: string, text: string): string {
  const kind = wordOf(id)
  if (FOLDED.includes(kind)) return kind
  if (kind !== 'found') return numberless(id).slice(0, LONGEST)
  return `found ${numberless(replaceKeys(withoutAnswer(text), '…')).slice(0, LONGEST)}`
}

const LONGEST = 160

/** The same reason, whatever the instance, the moment and the number of tries. */
function because(reason: string, remotes: readonly string[], keys: readonly string[]): string {
  const names = keys.flatMap((key) => (key === '' ? [] : [key, instanceOf(key).instance]))
  const plain = names.reduce(
    (text, name) => (name === '' ? text : text.replaceAll(name, '…')),
    withoutRetry(reason),
  )
  return `because ${[...remotes].sort().join(' ')} ${replaceKeys(plain, '…').replace(/\d+/g, '#').slice(0, LONGEST)}`
}

/** Of what is about a remote, or about a policy: one that promises nothing is told whatever the remotes. */
function remotesOf({ kind, about }: Condition, promises: readonly Promised[]): string[] {
  if (kind === 'remote' && about !== null) return [about]
  const ofPolicy = promises.filter(({ policy }) => kind === 'policy' && policy === about)
  return remotesIn(ofPolicy.flatMap(({ subject, target }) => [subject, target]))
}

/** A policy that it names, or those with promises there. */
function policiesIn({ id, kind, about }: Condition, promises: readonly Promised[]): string[] {
  const named = kind === 'policy' ? about : /^slot (\S+)/.exec(id)?.[1]
  if (named != null) return [named]
  if (about === null) return []
  const touched = promises.filter(
    ({ subject, target }) => subject === about || remotesIn([subject, target]).includes(about),
  )
  return [...new Set(touched.map(({ policy }) => policy))]
}
