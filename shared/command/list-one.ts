/** `list` of one instance: every snapshot, and where else it is verified. */

import { sizeOf } from '../chat/age.ts'
import { fold } from '../chat/details.ts'
import type { Message, Text } from '../chat/message.ts'
import { count, cut, enumerate, spoken, typed } from '../chat/words.ts'
import type { SnapshotPair } from '../incus/inventory.ts'
import { newestPair, samePair } from '../incus/pairs.ts'
import { compareAge, MANUAL, parseSnapshotName, SAFETY } from '../incus/snapshot-name.ts'
import { remoteOf } from '../incus/subject.ts'
import { holdsOf, removedOn } from '../policy/marks.ts'
import { snapshotCommand } from '../shell.ts'
import { type Answered, type CopyStock, isVerified, pairAge, type Stock } from './stock.ts'
import { stoodTexts } from './stood.ts'
import { maySpeak } from './visible.ts'

export function oneInstance(stock: Stock, { now, config, ledger, details, maySee, room }: Answered): Message {
  const { key, complete, policies, replica, copies, partials, record } = stock
  const known = new Set(config?.policies.map(({ name }) => name))
  const newestFirst = [...(complete ?? [])].sort((a, b) => compareAge(b, a))
  const covered = policies.length > 0 || replica !== null
  return {
    to: 'caller',
    tone: countedOf(stock).length === 0 ? 'bad' : covered ? 'info' : 'warning',
    headline: [
      { code: key },
      `: ${sumOf(stock, now)}`,
      ...(replica === null ? [] : ['; it is a copy of ', { code: replica.of }]),
      covered ? '' : '; no policy covers it',
    ],
    details: fold(
      [
        ...copies.flatMap(trouble),
        ...newestFirst.map((pair) => [
          ...snapshotText(pair, stock, known, now),
          ...detailText(pair[0], details, maySee),
        ]),
        ...partials.map((name): Text => [{ code: name }, ' may be partial: don’t count on it']),
        ...copies.flatMap((copy) => onlyThere(copy, newestFirst, now)),
        ...stoodTexts(ledger, (one) => one === key),
      ],
      [
        'Incus itself lists all: ',
        { code: snapshotCommand({ project: record.project, instance: record.name }, 'list') },
      ],
      room,
    ),
    buttons: [],
  }
}

/** Of a copy only what was verified. */
const countedOf = ({ complete, replica }: Stock): SnapshotPair[] => replica?.verified ?? complete ?? []

function sumOf(stock: Stock, now: Date): string {
  const { complete, replica, record } = stock
  if (complete === null)
    return `its snapshots could not be listed: ${cut(record.problem ?? 'no reason was given', 200)}`
  const counted = countedOf(stock)
  const newest = newestPair(counted)
  const kind = replica === null ? 'snapshot' : 'verified snapshot'
  return newest === null
    ? `no ${replica === null ? 'complete' : 'verified'} snapshot`
    : `${count(counted.length, kind)}, newest ${pairAge(newest, now)} old`
}

const trouble = ({ target, verified, reason }: CopyStock): Text[] => {
  if (verified === null)
    return [[{ code: target }, `: what is verified there is not known: ${cut(reason ?? '')}`]]
  return verified.length === 0 ? [[{ code: target }, ': nothing is verified there yet']] : []
}

function snapshotText(pair: SnapshotPair, stock: Stock, known: ReadonlySet<string>, now: Date): Text {
  const [name, createdAt] = pair
  const { record, copies, replica } = stock
  const where = copies.filter((copy) => isVerified(copy, pair)).map(({ target }) => remoteOf(target))
  const verified = where.length === 0 ? [] : [`verified on ${enumerate(where)}`]
  const here =
    replica?.verified.some((one) => samePair(one, pair)) === true
      ? 'verified'
      : 'not verified: don’t count on it'
  const facts = [
    ownerOf(name, known),
    ...(holdsOf(record).has(name) ? ['held'] : []),
    ...(replica === null ? verified : [here]),
  ]
  const at = { at: new Date(createdAt * 1000).toISOString(), style: 'full' as const }
  const removed = removedOn(record, now).get(name)
  return [
    ...[{ code: name }, `: ${pairAge(pair, now)} old, `, at, `, ${facts.join(', ')}`],
    ...(removed === undefined
      ? []
      : [
          ', removed: goes ',
          { at: new Date(removed.end).toISOString(), style: 'full' as const },
          ', unless ',
          typed(`undo ${record.name} ${name}`),
        ]),
  ]
}

/** When it ends, its size, and why it stays. */
function detailText(name: string, details: Answered['details'], maySee: Answered['maySee']): Text {
  const detail = details?.of?.get(name)
  const reasons = (details?.reasons.get(name) ?? []).filter((reason) => maySpeak(reason, maySee))
  return [
    ...(detail === undefined
      ? []
      : [
          ...(detail.expiresAt === null
            ? [', without an end']
            : [', ends ', { at: detail.expiresAt, style: 'full' as const }]),
          ...(detail.size === null ? [] : [`, ${sizeOf(detail.size)}`]),
          ...(detail.stateful ? [', with the memory'] : []),
          ...(detail.description === '' ? [] : [', "', ...spoken(cut(detail.description, 100)), '"']),
        ]),
    ...(reasons.length === 0 ? [] : ['; ', ...spoken(cut(reasons.join('; '), 200))]),
  ]
}

/** By the form of its name; whether the policy still exists decides whether it is ever expired. */
function ownerOf(name: string, known: ReadonlySet<string>): string {
  const policy = parseSnapshotName(name)?.policy
  if (policy === undefined) return 'not by a policy'
  if (policy === SAFETY) return 'taken before a restore'
  if (policy === MANUAL && !known.has(policy)) return 'taken on request'
  return known.has(policy) ? `by ${policy}` : `by ${policy}, a policy that no longer exists`
}

/** What the source no longer has, and the next refresh removes. */
function onlyThere({ target, verified }: CopyStock, here: readonly SnapshotPair[], now: Date): Text[] {
  const others = (verified ?? []).filter((pair) => !here.some((one) => samePair(one, pair)))
  return others.map(
    (pair): Text => [{ code: pair[0] }, `: ${pairAge(pair, now)} old, verified, only on `, { code: target }],
  )
}
