/** `status`: whether all is well, from the ledger alone, so that it answers while Incus is down. */

import { fold } from '../../chat/details.ts'
import type { Message, Text } from '../../chat/message.ts'
import { capitalized, count, enumerate, spoken, typed } from '../../chat/words.ts'
import { parseSubject, pathOf } from '../../incus/subject.ts'
import { brakedOf, findingsOf, overdueOf, rolesOf, warningsOf } from '../../ledger/warnings.ts'
import { kindIn } from '../../ledger/work.ts'
import { own } from '../../own.ts'
import { compilePaths } from '../../policy/glob.ts'
import type { Policy } from '../../policy/policy.ts'
import { nextSlot } from '../../schedule/slots.ts'
import { COUNTS, LONG_KINDS } from '../../work/verbs.ts'
import type { ReadCommand } from '../command.ts'
import { INSTANCE } from '../scope.ts'
import type { Seen } from '../seen.ts'
import { nothingConfigured } from '../unconfigured.ts'
import { maySpeak } from '../visible.ts'
import { type ShownWork, workOf, workText } from '../work.ts'
import { slotsIn, type Unserved, unservedSince, unservedText } from './missed.ts'
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
  const { ledger, now, maySee, applied } = seen
  const overdue = applied !== null && overdueOf(applied, ledger, now) !== null
  const warnings = applied === null ? [] : warningsOf(applied, ledger, now)
  const unserved = unservedSince(ledger, new Date(now.getTime() - DAY), maySee)
  const bad = unserved.filter(({ record }) => record.outcome === 'missed' || record.outcome === 'failed')
  const work = workOf(ledger, maySee)
  const broken = work.filter(({ state }) => state === 'bad')
  const findings = findingsOf(ledger).filter((finding) => maySpeak(finding, maySee))
  const problems = problemsOf(bad, work)
  const braked = brakedOf(ledger).filter((text) => maySpeak(text, maySee))
  const roles = rolesOf(ledger)
  return {
    to: 'caller',
    tone:
      overdue || problems.length + braked.length + roles.length > 0
        ? 'bad'
        : warnings.length + findings.length > 0
          ? 'warning'
          : toneOf(policies, seen),
    headline: headlineOf({ braked, roles, warnings, problems, found: foundText(findings) }, policies, seen),
    details: fold(
      [
        ...braked.map((text) => spoken(capitalized(text))),
        ...roles.map((text) => spoken(capitalized(text))),
        // The first one stands in the headline.
        ...warnings
          .slice(braked.length + roles.length > 0 ? 0 : 1)
          .map((warning) => spoken(capitalized(warning))),
        ...findings.map((finding) => spoken(capitalized(finding))),
        ...broken.map((item) => workText(item)),
        ...bad.map(unservedText),
        ...work.filter(({ state }) => state === 'runs').map((item) => workText(item)),
        ...policies.map((policy) => policyText(policy, seen)),
        ...runTexts(seen),
      ],
      [typed('missed'), ', ', typed('policies'), ' and ', typed('list'), ' show more'],
    ),
    buttons: [],
  }
}

const foundText = (findings: readonly string[]): string[] =>
  findings.length === 0 ? [] : [count(findings.length, 'thing needs a look', 'things need a look')]

function problemsOf(bad: readonly Unserved[], work: readonly ShownWork[]): string[] {
  const broken = LONG_KINDS.map(({ name, long: { words } }) => {
    const many = work.filter(({ key, state }) => kindIn(key) === name && state === 'bad').length
    return [many, words.broken.one, words.broken.several] as const
  })
  const slots = [
    [slotsIn(bad, 'failed'), 'failed slot', 'failed slots'],
    [slotsIn(bad, 'missed'), 'missed slot', 'missed slots'],
  ] as const
  return [...slots, ...broken].flatMap(([many, one, several]) =>
    many === 0 ? [] : [count(many, one, several)],
  )
}

type Wrong = Record<'braked' | 'roles' | 'warnings' | 'problems' | 'found', readonly string[]>

function headlineOf(
  { braked, roles, warnings, problems, found }: Wrong,
  policies: readonly Policy[],
  { ledger, now }: Seen,
): Text {
  const kept =
    roles.length === 0
      ? []
      : [`the relay's configuration keeps ${count(roles.length, 'policy', 'policies')} from working`]
  if (braked.length > 0) {
    const others = [...kept, ...problems, ...found]
    const also = others.length === 0 ? '' : `. Also: ${enumerate(others)}`
    return [
      `The brake holds back ${count(braked.length, 'removal of snapshots', 'removals of snapshots')}${also}`,
    ]
  }
  if (kept.length > 0) return [capitalized(enumerate([...kept, ...problems, ...found]))]
  if (warnings.length > 0) {
    const others = [...problems, ...found]
    const also = others.length === 0 ? '' : `. Also: ${enumerate(others)}`
    return ['The ticks need a look: ', ...spoken(`${warnings[0] ?? ''}${also}`)]
  }
  if (problems.length > 0) return [`Not all is well: ${enumerate([...problems, ...found])}`]
  if (ledger === null) return ['No tick has run yet, so nothing is known']
  if (policies.length === 0) return ['There are no policies, so nothing is backed up']
  const paused = policies.filter((policy) => policy.paused).length
  if (paused === policies.length) return ['Every policy is paused, so nothing is backed up']
  const resting = paused === 0 ? [] : [`${count(paused, 'policy is', 'policies are')} paused`]
  const but = [...resting, ...found]
  const how = but.length === 0 ? 'All is well' : `Nothing failed, and ${enumerate(but)}`
  return [how, ...nextText(policies, now)]
}

function nextText(policies: readonly Policy[], now: Date): Text {
  const next = policies
    .filter(({ paused }) => !paused)
    .flatMap((policy) => nextSlot({ ...policy, after: now })?.toISOString() ?? [])
    .sort()[0]
  return next === undefined ? [] : ['. The next slot is at ', { at: next, style: 'full' }]
}

const toneOf = (policies: readonly Policy[], { ledger }: Seen): Message['tone'] =>
  ledger === null || policies.length === 0 || policies.some(({ paused }) => paused) ? 'warning' : 'good'

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
