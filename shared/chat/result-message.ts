/** The result of a requested change. */

import type { PauseChange } from '../command/command.ts'
import type { Line } from '../plan/line.ts'
import type { Refusal } from '../plan/plan.ts'
import type { Actor } from './actor.ts'
import { fold, foldPlan, MAX_CHARS } from './details.ts'
import type { Message, Text } from './message.ts'
import { ALL_LINES, refusedMessage } from './plan-message.ts'
import { tallyOf } from './tally.ts'
import { count, cut, enumerate, spoken, typed } from './words.ts'

/** One action's line and its outcome. */
type Result = {
  line: Line
  state: 'done' | 'started' | 'refused' | 'unknown' | 'blocked'
  reason?: string
}

/** The part of a run that is shown. */
export type Performed = {
  lines: readonly Line[]
  results: readonly Result[]
  refusal: Refusal | null
  problems: readonly string[]
}

/** `line` is the command as one would type it; `room`: characters of what is folded. */
export function resultMessage(
  line: string,
  { lines, results, refusal, problems }: Performed,
  room = MAX_CHARS,
): Message {
  if (refusal !== null) return refusedMessage(line, refusal.reason, lines, 'channel')
  const good = results.filter(isGood)
  const bad = results.filter((result) => !isGood(result))
  const failures = bad.map(failureText)
  const others = problems.filter((problem) => !bad.some((failure) => tells(problem, failure)))
  return {
    to: 'channel',
    tone: toneOf(results, problems),
    headline: [typed(line), ` ${came(good, bad, others)}`],
    details: [
      ...fold(
        [...failures, ...others.map((problem) => spoken(cut(problem)))],
        [typed('status'), ' lists what failed'],
        room / 2,
      ),
      ...foldPlan(bad.length + good.length === 0 ? lines : good.map((one) => one.line), ALL_LINES, room / 2),
    ],
    buttons: [],
  }
}

/** Failures of actions are among a run's problems too. */
const tells = (problem: string, { reason }: Result): boolean =>
  reason !== undefined && problem.includes(reason)

const isGood = ({ state }: Result): boolean => state === 'done' || state === 'started'

function came(good: readonly Result[], bad: readonly Result[], others: readonly string[]): string {
  if (good.length + bad.length === 0)
    return others.length === 0 ? 'had nothing to do' : `did nothing, with ${count(others.length, 'problem')}`
  const did = tallyOf(
    good.map(({ line }) => line),
    'did',
  )
  const counts = [
    { states: ['refused'], word: 'failed' },
    { states: ['blocked'], word: 'not tried after that' },
    { states: ['unknown'], word: 'with an unknown outcome' },
  ].flatMap(({ states, word }) => {
    const many = bad.filter(({ state }) => states.includes(state)).length
    return many === 0 ? [] : [`${many} ${word}`]
  })
  if (bad.length === 0) return did || `did as planned, ${count(good.length, 'line')}`
  return did === '' ? `failed: ${enumerate(counts)}` : `${did}, but ${enumerate(counts)}`
}

function toneOf(results: readonly Result[], problems: readonly string[]): Message['tone'] {
  if (results.some(({ state }) => state === 'refused' || state === 'blocked')) return 'bad'
  if (results.some(({ state }) => state === 'unknown') || problems.length > 0) return 'warning'
  return results.some(({ state }) => state === 'done') && !results.some(({ state }) => state === 'started')
    ? 'good'
    : 'info'
}

const WHY: Partial<Record<Result['state'], string>> = {
  blocked: 'not tried, because an earlier step failed',
  unknown: 'its outcome is unknown; the next tick checks whether it happened',
}

function failureText({ line: { about, what }, state, reason }: Result): Text {
  const why = [WHY[state], reason].filter((part) => part !== undefined).join(': ')
  const name: Text = what === '' ? [{ code: about }] : [{ code: about }, ' ', { code: what }]
  return [...name, ': ', ...spoken(cut(why === '' ? 'no reason was given' : why))]
}

/** A policy was paused or resumed. */
export function settingMessage(change: PauseChange, { user }: Pick<Actor, 'user'>): Message {
  const policy = { code: change.policy }
  const headline: Text =
    change.do === 'resume'
      ? [{ user }, ' resumed policy ', policy, '. It serves slots again from now on.']
      : [
          { user },
          ' paused policy ',
          policy,
          ' ',
          ...untilText(change.until),
          '. Until then its slots are skipped.',
        ]
  return {
    to: 'channel',
    tone: change.do === 'resume' ? 'good' : 'warning',
    headline,
    details: [],
    buttons: [],
  }
}

export const untilText = (until: string | null): Text =>
  until === null ? ['until somebody resumes it'] : ['until ', { at: until, style: 'full' }]
