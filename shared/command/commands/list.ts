/** `list`: which snapshots there are to restore. On a copy only verified ones count. */

import { fold } from '../../chat/details.ts'
import type { Message, Text } from '../../chat/message.ts'
import { count, cut, spoken, typed } from '../../chat/words.ts'
import { newestPair } from '../../incus/pairs.ts'
import { pathOf, remoteOf } from '../../incus/subject.ts'
import { own } from '../../own.ts'
import { compilePaths } from '../../policy/glob.ts'
import { nearest } from '../../policy/nearest.ts'
import { isVolume } from '../../policy/volumes.ts'
import type { ReadCommand } from '../command.ts'
import { oneInstance } from '../list-one.ts'
import { INSTANCE } from '../scope.ts'
import { type Answered, type CopyStock, pairAge, type Stock, stocksOf } from '../stock.ts'
import { nothingConfigured } from '../unconfigured.ts'

export const list: ReadCommand = {
  kind: 'read',
  name: 'list',
  summary: 'List snapshots and which are verified on a copy, for everything or for one instance',
  role: 'viewer',
  parameters: [{ ...INSTANCE, required: false }],
  examples: ['list', 'list web1'],
  needs: 'world',
  answer: ({ instance }, seen) => {
    const { world } = seen
    if (seen.config === null || world === null) return nothingConfigured()
    const answered = { ...seen, world }
    const stocks = stocksOf(answered)
    return instance === undefined ? overview(stocks, answered) : oneOf(instance, stocks, answered)
  },
}

/** Copies are shown with their sources, and by themselves only where the source can't be seen or isn't copied there. */
const isOrphan = ({ key, replica }: Stock, stocks: readonly Stock[]): boolean =>
  replica !== null && !stocks.some(({ copies }) => copies.some(({ target }) => target === key))

function overview(stocks: readonly Stock[], seen: Answered): Message {
  const covered = stocks.filter(({ policies }) => policies.length > 0).sort(byNewest)
  const orphans = stocks.filter((stock) => isOrphan(stock, stocks))
  const strangers = stocks.filter(
    ({ policies, replica, record }) => policies.length === 0 && replica === null && !isVolume(record),
  )
  const silent = silentRemotes(seen)
  const without = covered.filter(({ complete, newest }) => complete !== null && newest === null).length
  const unlisted = covered.filter(({ complete }) => complete === null).length
  return {
    to: 'caller',
    tone: silent.length + without + unlisted > 0 ? 'bad' : 'info',
    headline: [
      covered.length === 0
        ? 'No instance that you may see is covered'
        : count(covered.length, 'covered instance'),
      without === 0 ? '' : `, ${without} without a complete snapshot`,
      unlisted === 0 ? '' : `, ${unlisted} that could not be listed`,
      silent.length === 0 ? '' : `, and ${count(silent.length, 'remote')} gave no answer`,
    ],
    details: fold(
      [
        ...silent,
        ...covered.map((stock) => stockText(stock, seen.now)),
        ...orphans.map((stock) => orphanText(stock, seen, stocks)),
        ...strangerTexts(strangers),
      ],
      [typed('list web1'), ' shows one of them'],
      seen.room,
    ),
    buttons: [],
  }
}

/** Instances without a snapshot, and those longest without a new one, come first. */
const byNewest = (a: Stock, b: Stock): number =>
  (a.newest?.[1] ?? 0) - (b.newest?.[1] ?? 0) || (a.key < b.key ? -1 : 1)

const silentRemotes = ({ world }: Answered): Text[] =>
  Object.entries(world.remotes).flatMap(([remote, reply]): Text[] =>
    reply.ok ? [] : [[{ code: remote }, ' gave no answer: ', ...spoken(cut(reply.error.message, 200))]],
  )

function stockText({ key, record, complete, newest, copies }: Stock, now: Date): Text {
  const snapshots =
    complete === null
      ? `not listed (${cut(record.problem ?? 'no reason was given', 120)})`
      : newest === null
        ? 'no complete snapshot'
        : `${count(complete.length, 'snapshot')}, newest ${pairAge(newest, now)} old`
  return [{ code: key }, `: ${snapshots}`, ...copies.flatMap((copy) => copyText(copy, now))]
}

function copyText({ target, verified, reason }: CopyStock, now: Date): Text {
  const where: Text = ['; ', { code: remoteOf(target) }, ' ']
  if (verified === null) return [...where, `not known: ${cut(reason ?? '', 160)}`]
  const newest = newestPair(verified)
  return [...where, newest === null ? 'nothing verified yet' : `verified ${pairAge(newest, now)} old`]
}

function whereaboutsOf(source: string, stocks: readonly Stock[], world: Answered['world']): string {
  if (own(world.remotes, remoteOf(source))?.ok !== true) return 'which can’t be queried now'
  return stocks.some(({ key }) => key === source) ? 'which no policy puts there' : 'which was not found'
}

function orphanText({ key, replica }: Stock, { now, world }: Answered, stocks: readonly Stock[]): Text {
  const newest = newestPair(replica?.verified ?? [])
  const state = newest === null ? 'nothing verified' : `verified ${pairAge(newest, now)} old`
  const of = replica?.of ?? ''
  if (of === key)
    return [
      { code: key },
      ' has the marks of a copy of itself, so it is not backed up: see ',
      typed('status'),
    ]
  return [{ code: key }, ' is a copy of ', { code: of }, `, ${whereaboutsOf(of, stocks, world)}: ${state}`]
}

const STRANGERS_SHOWN = 5

function strangerTexts(strangers: readonly Stock[]): Text[] {
  if (strangers.length === 0) return []
  const named = strangers.slice(0, STRANGERS_SHOWN).flatMap(({ key }): Text => [' ', { code: key }])
  const more = strangers.length > STRANGERS_SHOWN ? ' …' : ''
  return [[`Not covered by any policy: ${strangers.length},`, ...named, more]]
}

function oneOf(path: string, stocks: readonly Stock[], seen: Answered): Message {
  const fits = compilePaths([path])
  const found = stocks.filter(({ key }) => fits(pathOf(key)))
  // A copy has its source's name, so it is only found when nothing else has that name.
  const sources = found.filter(({ replica }) => replica === null)
  const meant = sources.length > 0 ? sources : found
  const [only] = meant
  if (only === undefined) return notFound(path, stocks, seen)
  return meant.length === 1 ? oneInstance(only, seen) : overview(meant, seen)
}

function notFound(path: string, stocks: readonly Stock[], seen: Answered): Message {
  const close = nearest(
    path,
    stocks.map(({ key }) => key.split('/').slice(-path.split('/').length).join('/')),
  )
  return {
    to: 'caller',
    tone: 'warning',
    headline: [
      ...['There is no instance ', { code: path }, ' that you may see'],
      ...(close === null ? [] : ['. Did you mean ', { code: close }, '?']),
    ],
    details: fold(silentRemotes(seen), [typed('status'), ' shows more']),
    buttons: [],
  }
}
