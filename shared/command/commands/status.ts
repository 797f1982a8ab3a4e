/** `status`: whether all is well, from the ledger alone, so that it answers while Incus is down. */

import { fold } from '../../chat/details.ts'
import type { Message, Text } from '../../chat/message.ts'
import { capitalized, count, cut, enumerate, spoken, typed } from '../../chat/words.ts'
import { parseSubject, pathOf } from '../../incus/subject.ts'
import { own } from '../../own.ts'
import { compilePaths } from '../../policy/glob.ts'
import type { Policy } from '../../policy/policy.ts'
import { isBroken } from '../../promise/text.ts'
import { textsOf, type Verdict, verdictOf, visibleTo } from '../../promise/verdict.ts'
import { nextSlot } from '../../schedule/slots.ts'
import { COUNTS } from '../../work/verbs.ts'
import type { ReadCommand } from '../command.ts'
import { INSTANCE } from '../scope.ts'
import type { Seen } from '../seen.ts'
import { nothingConfigured } from '../unconfigured.ts'
import { maySpeak } from '../visible.ts'
import { workOf, workText } from '../work.ts'
import { unservedSince, unservedText } from './missed.ts'
import { pauseOf, whenNext } from './policies.ts'

const DAY = 86_400_000

export const status: ReadCommand = {
  kind: 'read',
  name: 'status',
  summary: 'Show what failed, what runs and what is next, for everything or for one instance',
  role: 'viewer',
  parameters: [{ ...INSTANCE, required: false }],
  examples: ['status', 'status web1'],
  needs: 'ledger',
  answer: ({ instance }, seen) => {
    if (seen.config === null) return nothingConfigured()
    return instance === undefined ? all(seen, seen.config.policies) : one(instance, seen)
  },
}

function all(seen: Seen, policies: readonly Policy[]): Message {
  const { ledger, facts, channels = [], now, maySee, applied } = seen
  const verdict =
    applied === null
      ? null
      : visibleTo(verdictOf({ policies, applied, ledger, facts, channels, now }), maySee)
  const texts = verdict === null ? [] : textsOf(verdict)
  const running = workOf(ledger, maySee).filter(({ state }) => state === 'runs')
  return {
    to: 'caller',
    tone: verdict?.tone ?? 'bad',
    headline: verdict === null ? ['Nothing is known'] : headlineOf(verdict, texts, policies, now),
    details: fold(
      [
        // A single one stands in the headline.
        ...(texts.length === 1 ? [] : texts.map((text) => spoken(cut(capitalized(text))))),
        ...running.map((item) => workText(item)),
        ...policies.map((policy) => policyText(policy, seen)),
        ...runTexts(seen),
      ],
      [typed('missed'), ', ', typed('policies'), ' and ', typed('list'), ' show more'],
    ),
    buttons: [],
  }
}

function headlineOf(
  { tone, promises, conditions }: Verdict,
  texts: readonly string[],
  policies: readonly Policy[],
  now: Date,
): Text {
  const kept = promises.filter(({ state }) => state === 'kept').length
  const grave = conditions.filter(({ severity }) => severity === 'critical')
  const counted = [
    [promises.filter(isBroken).length, 'promise is not kept', 'promises are not kept'],
    [grave.length, 'problem', 'problems'],
    [
      conditions.filter(({ severity }) => severity === 'warning').length,
      'thing needs a look',
      'things need a look',
    ],
    [
      promises.filter(({ state }) => state === 'pending').length,
      'first backup is still to come',
      'first backups are still to come',
    ],
  ] as const
  const wrong = counted.flatMap(([many, one, several]) => (many === 0 ? [] : [count(many, one, several)]))
  const next = nextText(policies, now)
  if (tone === 'good') return [`All is well: ${count(kept, 'promise is', 'promises are')} kept`, ...next]
  const [only, ...others] = texts
  const what = only !== undefined && others.length === 0 ? spoken(cut(only)) : [enumerate(wrong)]
  return tone === 'bad' ? ['Not all is well: ', ...what] : ['Nothing failed, and ', ...what, ...next]
}

function nextText(policies: readonly Policy[], now: Date): Text {
  const next = policies
    .filter(({ paused }) => !paused)
    .flatMap((policy) => nextSlot({ ...policy, after: now })?.toISOString() ?? [])
    .sort()[0]
  return next === undefined ? [] : ['. The next slot is at ', { at: next, style: 'full' }]
}

function policyText(policy: Policy, { pauses, ledger, now }: Seen): Text {
  const open = own(ledger?.policies, policy.name)?.open?.slot
  const serving: Text = open === undefined ? [] : ['slot ', { at: open, style: 'full' }, ' is being served, ']
  return [{ code: policy.name }, ': ', ...serving, ...whenNext(policy, pauseOf(policy, pauses, now), now)]
}

const RUNS = 3

function runTexts({ ledger, maySee }: Seen): Text[] {
  return (ledger?.runs ?? []).slice(0, RUNS).map((run) => {
    const counts = [
      ...COUNTS.map(({ name, noun, did }) => {
        const many = own(run.counts, name) ?? 0
        return `${noun === undefined ? many : count(many, ...noun)} ${did}`
      }),
      ...Object.entries(run.listed ?? {}).map(([what, list]) => `${list.length} ${what}`),
    ]
    const [problem] = run.problems.filter((text) => maySpeak(text, maySee))
    return [
      ...['Run ', { at: run.at, style: 'ago' as const }, `: ${counts.join(', ')}`],
      ...(problem === undefined
        ? []
        : [`; ${count(run.problems.length, 'problem')}, such as `, ...spoken(problem.slice(0, 200))]),
    ]
  })
}

/** What the ledger has about one instance: tries, copies, restores. Its snapshots are shown by `list`. */
function one(path: string, { ledger, now, maySee }: Seen): Message {
  const fits = compilePaths([path])
  const isIt = (key: string): boolean => parseSubject(key) !== null && fits(pathOf(key)) && maySee(key)
  const work = workOf(ledger, isIt)
  const unserved = unservedSince(ledger, new Date(now.getTime() - DAY), maySee).flatMap(
    ({ policy, record }) => {
      const failures = (record.failures ?? []).filter(({ instance }) => isIt(instance))
      return failures.length === 0 ? [] : [{ policy, record: { ...record, failures } }]
    },
  )
  const tries = Object.entries(ledger?.policies ?? {}).flatMap(([policy, { open }]) =>
    Object.entries(open?.attempts ?? {}).flatMap(([key, { reason, retryAt }]): Text[] =>
      isIt(key) ? [tryText(policy, key, reason, retryAt)] : [],
    ),
  )
  const bad = unserved.length + tries.length + work.filter(({ state }) => state === 'bad').length
  return {
    to: 'caller',
    tone: bad > 0 ? 'bad' : 'info',
    headline: [
      { code: path },
      bad > 0 ? `: ${count(bad, 'problem')}. ` : ': the ledger has no problem on record. ',
      typed(`list ${path}`),
      ' shows its snapshots',
    ],
    details: fold(
      [...tries, ...unserved.map(unservedText), ...work.map((item) => workText(item))],
      [typed('missed'), ' shows more'],
    ),
    buttons: [],
  }
}

const tryText = (policy: string, key: string, reason: string, retryAt: string | undefined): Text => [
  ...[{ code: key }, ' has no snapshot of the open slot of ', { code: policy }, ' yet: '],
  ...spoken(reason.slice(0, 200)),
  ...(retryAt === undefined ? [] : ['. stapes tries again ', { at: retryAt, style: 'ago' as const }]),
]
