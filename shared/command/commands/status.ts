/** `status`: whether all is well, from what KV has alone, so that it answers while Incus is down. */

import { fold } from '../../chat/details.ts'
import type { Message, Text } from '../../chat/message.ts'
import { capitalized, count, cut, enumerate, spoken, typed } from '../../chat/words.ts'
import { parseSubject, pathOf } from '../../incus/subject.ts'
import { own } from '../../own.ts'
import { compilePaths } from '../../policy/glob.ts'
import type { Policy } from '../../policy/policy.ts'
import type { Severity } from '../../promise/condition.ts'
import type { Promised } from '../../promise/judge.ts'
import { isBroken, WHAT } from '../../promise/text.ts'
import { narrowToFitting, textsOf, type Verdict, verdictOf, visibleTo } from '../../promise/verdict.ts'
import { nextSlot } from '../../schedule/slots.ts'
import { COUNTS } from '../../work/verbs.ts'
import type { ReadCommand } from '../command.ts'
import { INSTANCE } from '../scope.ts'
import type { Seen } from '../seen.ts'
import { stoodTexts } from '../stood.ts'
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
  const { ledger, now, maySee } = seen
  const verdict = verdictIn(seen)
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
        ...stoodTexts(ledger, maySee),
        ...runTexts(seen),
      ],
      [typed('missed'), ', ', typed('policies'), ' and ', typed('list'), ' show more'],
      seen.room,
    ),
    buttons: [],
  }
}

/** Of what may be seen. Null: nothing was applied, or it can't be read. */
function verdictIn({ config, applied, ledger, facts, channels = [], now, maySee }: Seen): Verdict | null {
  if (config === null || applied === null) return null
  const { policies } = config
  return visibleTo(verdictOf({ policies, applied, ledger, facts, channels, now }), maySee)
}

function headlineOf(
  verdict: Verdict,
  texts: readonly string[],
  policies: readonly Policy[],
  now: Date,
): Text {
  const { tone, promises } = verdict
  const next = nextText(policies, now)
  const kept = promises.filter(({ state }) => state === 'kept').length
  if (tone === 'good') return [`All is well: ${count(kept, 'promise is', 'promises are')} kept`, ...next]
  const [only, ...others] = texts
  const what = only !== undefined && others.length === 0 ? spoken(cut(only)) : [enumerate(wrongOf(verdict))]
  return tone === 'bad' ? ['Not all is well: ', ...what] : ['Nothing failed, and ', ...what, ...next]
}

/** How much is wrong, of each kind. */
function wrongOf({ promises, conditions }: Verdict): string[] {
  const many = (wanted: Severity): number => conditions.filter(({ severity }) => severity === wanted).length
  const pending = promises.filter(({ state }) => state === 'pending').length
  const counted = [
    [promises.filter(isBroken).length, 'promise is not kept', 'promises are not kept'],
    [many('critical'), 'problem', 'problems'],
    [many('warning'), 'thing needs a look', 'things need a look'],
    [pending, 'first backup is still to come', 'first backups are still to come'],
  ] as const
  return counted.flatMap(([found, one, several]) => (found === 0 ? [] : [count(found, one, several)]))
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

/** What is promised of one instance, and what runs for it. Its snapshots are shown by `list`. */
function one(path: string, seen: Seen): Message {
  const { ledger, now, maySee } = seen
  const fits = compilePaths([path])
  const isIt = (key: string): boolean => parseSubject(key) !== null && fits(pathOf(key)) && maySee(key)
  const all = verdictIn(seen)
  const verdict = all === null ? null : narrowToFitting(all, isIt, path)
  const texts = verdict === null ? [] : textsOf(verdict)
  const said = verdict === null ? ['nothing is known'] : headlineOfOne(verdict, texts)
  const unserved = unservedSince(ledger, new Date(now.getTime() - DAY), maySee).flatMap(
    ({ policy, record }) => {
      const failures = (record.failures ?? []).filter(({ instance }) => isIt(instance))
      return failures.length === 0 ? [] : [{ policy, record: { ...record, failures } }]
    },
  )
  return {
    to: 'caller',
    tone: verdict?.tone ?? 'bad',
    headline: [{ code: path }, ': ', ...said, '. ', typed(`list ${path}`), ' shows its snapshots'],
    details: fold(
      [
        ...(texts.length === 1 ? [] : texts.map((text) => spoken(cut(capitalized(text))))),
        ...(verdict?.promises ?? []).filter(({ state }) => state === 'kept').map(keptText),
        // What failed of it stands above.
        ...workOf(ledger, isIt)
          .filter(({ state }) => state !== 'bad')
          .map((item) => workText(item)),
        ...stoodTexts(ledger, isIt),
        ...unserved.map(unservedText),
      ],
      [typed('missed'), ' shows more'],
      seen.room,
    ),
    buttons: [],
  }
}

function headlineOfOne(verdict: Verdict, texts: readonly string[]): Text {
  const [only, ...others] = texts
  if (only !== undefined && others.length === 0) return spoken(cut(only))
  const wrong = wrongOf(verdict)
  return wrong.length > 0
    ? [enumerate(wrong)]
    : [`all is well, ${count(verdict.promises.length, 'promise is', 'promises are')} kept`]
}

const keptText = ({ policy, kind, target, newest, until }: Promised): Text => [
  ...[{ code: policy }, ': the ', WHAT[kind], kind === 'export' ? ' of ' : ' '],
  ...(newest === null ? [] : [{ code: newest.snapshot }]),
  ...(target === null ? [] : [kind === 'export' ? ' in ' : ' on ', { code: target }]),
  ...(until === null ? [' is kept'] : [' keeps the promise until ', { at: until, style: 'full' as const }]),
]
