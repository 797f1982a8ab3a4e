/** What is sent: an alarm in words, with what is still safe and what to do; that it is over; several at once. */

import { spanOf } from '../chat/age.ts'
import type { Block, Message, Text } from '../chat/message.ts'
import { count, cut, spoken } from '../chat/words.ts'
import { remoteOf } from '../incus/subject.ts'
import type { Promised } from '../promise/judge.ts'
import { withoutRetry } from '../promise/reason.ts'
import { safeText } from '../safe-text.ts'
import { adviceFor } from './advice.ts'
import { gravest } from './alarm.ts'
import type { Channel, Gravity } from './channel.ts'
import type { Notice } from './notices.ts'
import { safeLines } from './safe.ts'
import { RELAY, SILENT, type Trouble } from './trouble.ts'

type LetterKind = 'alarm' | 'reminder' | 'recovery' | 'digest' | 'goodbye' | 'test'

export type Letter = {
  /** The same at each try to send it, so that a receiver can drop repeats. */
  id: string
  kind: LetterKind
  severity: Gravity
  /** Ids of the alarms that it is about: an alarm and its end have the same. */
  alarms: string[]
  message: Message
}

const LONGEST = 600

const be = (many: number): string => (many === 1 ? 'is' : 'are')
const SHOWN = 5

/** An alarm as a channel sees it: of several, those troubles that are routed there. */
export type Told = {
  id: string
  notice: Notice
  troubles: readonly Trouble[]
  /** How often it was told there, and what has come to it since. */
  times: number
  fresh: readonly string[]
}

/** One message about an alarm: at each try the same, and another one each time that it is told. */
const nameOf = ({ id, notice: { since }, troubles, times }: Told): string =>
  `${id} ${since} ${gravest(troubles)}${times === 0 ? '' : ` ${times}`}`

export function alarmLetter(told: Told, promises: readonly Promised[], now: Date): Letter {
  const { id, troubles, fresh } = told
  const severity = gravest(troubles)
  const more = fresh.length === 0 ? [] : [linesOf([spoken(`New among them: ${someOf(fresh)}`)])]
  return {
    ...{ id: `${nameOf(told)} alarm`, kind: 'alarm', severity, alarms: [id] },
    message: messageOf(severity, spoken(titleOf(troubles)), [...more, ...detailsOf(troubles, promises, now)]),
  }
}

function someOf(names: readonly string[]): string {
  const more = names.length - SHOWN
  return `${names.slice(0, SHOWN).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}

export function reminderLetter(
  { id, notice, troubles, times }: Told,
  promises: readonly Promised[],
  now: Date,
): Letter {
  const severity = gravest(troubles)
  const headline = spoken(`Still, for ${lasted(notice, now)}: ${titleOf(troubles)}`)
  return {
    ...{ id: `${id} ${notice.since} reminder ${times}`, kind: 'reminder', severity, alarms: [id] },
    message: messageOf(severity, headline, detailsOf(troubles, promises, now)),
  }
}

/** `kept`: how many promises of it are kept again; `dropped`: how many there are no longer. */
export function recoveryLetter(
  id: string,
  notice: Notice,
  { severity, kept, dropped }: { severity: Gravity; kept: readonly Promised[]; dropped: number },
  now: Date,
): Letter {
  const lines = [
    ...(kept.length === 0 ? [] : [`${count(kept.length, 'promise')} ${be(kept.length)} kept again.`]),
    ...(dropped === 0
      ? []
      : [
          `${count(dropped, 'promise')} ${be(dropped)} no longer made: a policy or an instance is gone or paused.`,
        ]),
    ...safeLines(kept, now),
  ]
  return {
    ...{ id: `${id} ${notice.since} recovery`, kind: 'recovery', severity, alarms: [id] },
    message: {
      ...messageOf(severity, overHeadline(notice), [linesOf(lines.map(spoken))]),
      tone: 'good',
    },
  }
}

/** In the place of the first message, where that can be edited. */
export const overMessage = (notice: Notice): Message => ({
  ...messageOf('warning', overHeadline(notice), []),
  tone: 'good',
})

function overHeadline(notice: Notice): Text {
  const end = new Date(notice.gone ?? notice.since)
  const isTime = notice.members.every((id) => id.startsWith(MISSING)) && ageIn(notice, end) >= TOLD
  const what = isTime ? 'Not told any more' : 'Over'
  return spoken(`${what} after ${lasted(notice, end)}: ${notice.title}`)
}

/** What is missing is told for so many milliseconds, and then may be missing still. */
const MISSING = 'condition missing '
const TOLD = 2.9 * 86_400_000

const ageIn = ({ began }: Notice, until: Date): number => until.getTime() - new Date(began).getTime()

/** Many at once are one message. */
export function severalLetter(all: readonly Told[]): Letter {
  const severity = gravest(all.flatMap(({ troubles }) => troubles))
  const lines = all.slice(0, MANY).map(({ troubles }) => spoken(`• ${cut(titleOf(troubles))}`))
  const more = all.length - lines.length
  return {
    id: `several ${all.map(nameOf).join(' ')}`,
    ...{ kind: 'alarm', severity, alarms: all.map(({ id }) => id) },
    message: messageOf(
      severity,
      [`${count(all.length, 'thing')} need attention`],
      [
        linesOf([
          ...lines,
          ...(more > 0 ? [[`… and ${more} more`]] : []),
          ['What to do: /backup status, or GET /api/status'],
        ]),
      ],
    ),
  }
}

const MANY = 20

export const goodbyeLetter = ({ name }: Channel, texts: readonly string[], now: Date): Letter => ({
  ...{ id: `goodbye ${name} ${now.toISOString()}`, kind: 'goodbye', severity: 'warning', alarms: [] },
  message: messageOf(
    'warning',
    [`No notifications come here any more: the applied configuration has no channel "${name}"`],
    texts.length === 0 ? [] : [linesOf(texts.slice(0, SHOWN).map((text) => spoken(cut(text))))],
  ),
})

/** To a channel that failed, when nothing else is to be told there: else nobody would see that it works again. */
export const againLetter = ({ name }: Channel, since: string): Letter => ({
  ...{ id: `again ${name} ${since}`, kind: 'recovery', severity: 'warning', alarms: [] },
  message: {
    ...messageOf('warning', spoken(`Notifications arrive here again: none did since ${since}`), []),
    tone: 'info',
  },
})

export const testLetter = (now: Date): Letter => ({
  ...{ id: `test ${now.toISOString()}`, kind: 'test', severity: 'warning', alarms: [] },
  message: {
    ...messageOf('warning', ['This is a test: notifications of stapes arrive here'], []),
    tone: 'info',
  },
})

/** One line, for the headline and for when it is over. */
export function titleOf(troubles: readonly Trouble[]): string {
  const [first] = troubles
  const remote = troubles.find(({ id }) => id.startsWith(SILENT))
  if (remote?.cause === RELAY) return 'the relay gives no usable answer'
  if (remote !== undefined) {
    const isOther = remote.code === 'certificate'
    return `${remote.remotes[0]} ${isOther ? 'shows another certificate than the pinned one' : 'gives no answer'}`
  }
  if (first === undefined) return 'something is not well'
  if (troubles.length === 1) return sentencesOf(first)[0]
  const broken = troubles.filter(({ id }) => id.startsWith('promise '))
  const subjects = new Set(troubles.flatMap(({ subject }) => subject ?? []))
  const why = troubles.find(({ reason }) => reason !== null)?.reason
  const because = why == null ? '' : `: ${safeText(why, LONGEST)}`
  const instances = `${count(subjects.size, 'instance')}${subjects.size === 1 ? ` (${first.subject})` : ''}`
  if (broken.length > 0)
    return `${count(broken.length, 'promise')} to ${instances} ${be(broken.length)} not kept${because}`
  if (subjects.size === 0) return safeText(first.text, LONGEST)
  const [wrong] = WRONG.filter(([id]) => troubles.every((one) => one.id.startsWith(id)))
  return wrong === undefined ? `backups of ${instances} fail${because}` : wrong[1](instances)
}

/** What many have in common that are no failed backups, by how their ids begin. */
const WRONG: [id: string, title: (instances: string) => string][] = [
  ['condition lost ', (instances) => `verified snapshots are gone from the copies of ${instances}`],
  ['condition brake ', (instances) => `what would go of ${instances} is held back until somebody looks`],
]

/** The first sentence, and the others. */
function sentencesOf({ text }: Trouble): [first: string, others: string] {
  const safe = safeText(text, LONGEST)
  const end = safe.search(/[.?!] (?=[A-Z])/)
  if (end < 0) return [safe, '']
  return [safe.slice(0, safe.at(end) === '.' ? end : end + 1), safe.slice(end + 2)]
}

function linesAbout(troubles: readonly Trouble[], isRemote: boolean): string[] {
  const [only, ...others] = troubles
  // The headline has the first sentence of a single one.
  if (only !== undefined && others.length === 0 && !isRemote)
    return [sentencesOf(only)[1]].filter((text) => text !== '')
  const more = troubles.length - SHOWN
  return [
    ...freshTexts(troubles.slice(0, SHOWN), isRemote ? '' : titleOf(troubles)).map(
      (text) => `• ${cut(safeText(text, LONGEST))}`,
    ),
    ...(more > 0 ? [`… and ${more} more`] : []),
  ]
}

/** A reason that was said is not said again. */
function freshTexts(troubles: readonly Trouble[], headline: string): string[] {
  let said = headline
  return troubles.map(({ text, reason }) => {
    const why = withoutRetry(reason ?? '')
    const fresh = why !== '' && said.includes(safeText(why, LONGEST)) ? text.replace(`: ${reason}`, '') : text
    said = `${said}\n${safeText(text, LONGEST)}`
    return fresh
  })
}

const isUncovered = ({ id }: Trouble): boolean => id.startsWith('condition uncovered ')

function detailsOf(troubles: readonly Trouble[], promises: readonly Promised[], now: Date): Block[] {
  const isRemote = troubles.some(({ id }) => id.startsWith(SILENT))
  const touched = affected(troubles, promises)
  const advice = adviceFor(troubles)
  const blocks = [
    [...linesAbout(troubles, isRemote), ...(isRemote ? standstill(touched) : []), ...unprotected(troubles)],
    safeLines(touched, now),
    advice === null ? [] : [`What to do: ${advice}`],
  ]
  return blocks.flatMap((lines) => (lines.length === 0 ? [] : [linesOf(lines.map(spoken))]))
}

function unprotected(troubles: readonly Trouble[]): string[] {
  const bare = troubles.filter(isUncovered)
  if (bare.length === 0) return []
  const them = bare.flatMap(({ news }) => news).length > 1 ? 'them' : 'it'
  return [`Nothing new is backed up of ${them}; what exists of ${them} stays.`]
}

function standstill(touched: readonly Promised[]): string[] {
  const subjects = [...new Set(touched.map(({ subject }) => subject))]
  if (subjects.length === 0) return []
  const more = subjects.length > SHOWN ? ` and ${subjects.length - SHOWN} more` : ''
  return [
    `Meanwhile backups of ${count(subjects.length, 'instance')} stand still: ${subjects.slice(0, SHOWN).join(', ')}${more}`,
  ]
}

/** Promises to the instances that it is about. */
function affected(troubles: readonly Trouble[], promises: readonly Promised[]): Promised[] {
  const subjects = new Set(troubles.flatMap(({ subject }) => subject ?? []))
  const silent = new Set(troubles.flatMap(({ id, remotes }) => (id.startsWith(SILENT) ? remotes : [])))
  return promises.filter(
    ({ subject, target }) =>
      subjects.has(subject) || silent.has(remoteOf(subject)) || silent.has(remoteOf(target ?? '')),
  )
}

const linesOf = (lines: readonly Text[]): Block => ({ kind: 'lines', lines })

const messageOf = (severity: Gravity, headline: Text, details: readonly Block[]): Message => ({
  ...{ to: 'channel', tone: severity === 'critical' ? 'bad' : 'warning', headline, details, buttons: [] },
})

const lasted = (notice: Notice, until: Date): string => spanOf(ageIn(notice, until))
