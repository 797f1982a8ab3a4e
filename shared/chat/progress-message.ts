/** Messages about long work: in progress, at its end, and when its outcome is unknown. */

import { kindIn } from '../ledger/work.ts'
import type { Item } from '../work/kind.ts'
import { LONG_KINDS, longOf } from '../work/verbs.ts'
import { parseProgress, sizeOf, spanOf } from './age.ts'
import { fold } from './details.ts'
import type { Message, Text } from './message.ts'
import type { Watch } from './watch.ts'
import { count, cut, enumerate, spoken, typed } from './words.ts'

type Told = Pick<Watch, 'line'>

/** A single item is described in the headline; several are counted there, and listed in the details. */
export function runningMessage({ line }: Told, items: readonly Item[], elapsed: number): Message {
  const [only] = items
  const alone = items.length === 1 && only !== undefined
  const over = items.filter(({ end }) => end !== null).length
  return {
    ...CHANNEL,
    tone: items.some(({ end }) => end === 'bad' || end === 'unknown') ? 'warning' : 'info',
    headline: alone
      ? [typed(line), ': ', ...underWay(only), `, for ${spanOf(elapsed)}`]
      : [typed(line), `: ${goodOf(items)} of ${items.length} done${troubles(items)}, for ${spanOf(elapsed)}`],
    details: alone
      ? barOf(only)
      : [
          { kind: 'code', text: `${bar(over, items.length)}\n` },
          ...fold(ranked(items).map(itemText), HOW, 2300),
        ],
  }
}

export function endedMessage({ line }: Told, items: readonly Item[], elapsed: number): Message {
  const bad = items.filter(({ end }) => end === 'bad')
  const unseen = items.filter(({ end }) => end === 'unknown')
  const troubled = bad.length + unseen.length > 0
  return {
    ...CHANNEL,
    tone: bad.length > 0 ? 'bad' : unseen.length > 0 ? 'warning' : 'good',
    headline: [
      typed(line),
      `${troubled ? ' has ended' : ' is done'}: ${cameTo(items)}, in ${spanOf(elapsed)}`,
    ],
    details: fold(ranked(items).map(itemText), HOW),
  }
}

/** The message is no longer updated; the work itself goes on. */
export const abandonedMessage = ({ line }: Told, items: readonly Item[]): Message => ({
  ...CHANNEL,
  tone: 'warning',
  headline: [
    typed(line),
    ': no end was seen within 24 hours, so this message is no longer updated. ',
    typed('status'),
    ' shows its state.',
  ],
  details: fold(ranked(items).map(itemText), HOW),
})

const CHANNEL = { to: 'channel', buttons: [] } as const

const HOW: Text = [typed('status'), ' shows each instance']

/** Failed items come first, then those in progress. */
const ranked = (items: readonly Item[]): Item[] => {
  const order = ['bad', 'unknown', null, 'good']
  return [...items].sort((a, b) => order.indexOf(a.end) - order.indexOf(b.end))
}

const bar = (over: number, all: number): string => `${barTo(over / all)} ${over} of ${all}`

/** Where all of it is known: of exports, not of Incus's transfers. */
function barOf({ progress }: Item): Message['details'] {
  const percent = progress === null ? null : (parseProgress(progress)?.percent ?? null)
  return percent === null ? [] : [{ kind: 'code', text: `${barTo(percent / 100)} ${percent} %\n` }]
}

function barTo(share: number): string {
  const full = Math.floor(share * 20)
  return `${'█'.repeat(full)}${'░'.repeat(20 - full)}`
}

function underWay(item: Item): Text {
  const { attempts, reason } = item
  const again: Text =
    attempts === 0
      ? []
      : [` (try ${attempts + 1}${reason === null ? '' : ' after: '}`, ...spoken(cut(reason ?? '')), ')']
  const doing = longOf(item.key)?.words.doing(item) ?? ['working on ', { code: item.subject }]
  return [...doing, ...howFar(item), ...again]
}

function howFar({ progress }: Item): Text {
  if (progress === null) return []
  const parsed = parseProgress(progress)
  if (parsed === null) return [', ', cut(progress, 80)]
  const { of, bytes, bytesPerSecond, percent } = parsed
  const what: Text = of === null ? [] : [' of ', { code: cut(of, 80) }]
  const share = percent === null ? '' : ` (${percent} %)`
  return [`, ${sizeOf(bytes)}`, ...what, `${share} at ${sizeOf(bytesPerSecond)}/s`]
}

function itemText(item: Item): Text {
  if (item.end === null) return underWay(item)
  const words = longOf(item.key)?.words
  const after = words?.after(item) ?? []
  if (item.end === 'good') return [...(words?.good(item) ?? [{ code: item.subject }, ' is done']), ...after]
  const what = `the ${kindIn(item.key)}`
  const how = item.end === 'bad' ? `${what} failed: ` : `it is not known how ${what} ended: `
  const next: Text =
    item.retryAt === null ? [] : ['. stapes tries again ', { at: item.retryAt, style: 'ago' }]
  return [
    { code: item.subject },
    `: ${how}`,
    ...spoken(cut(item.reason ?? 'no reason was given')),
    ...next,
    ...after,
  ]
}

const goodOf = (items: readonly Item[]): number => items.filter(({ end }) => end === 'good').length

function troubles(items: readonly Item[]): string {
  const many = items.filter(({ end }) => end === 'bad' || end === 'unknown').length
  return many === 0 ? '' : `, ${many} failed or unknown`
}

/** Good outcomes by kind, then bad ones, then unknown ones. */
function cameTo(items: readonly Item[]): string {
  const of = (name: string, end: Item['end']) =>
    items.filter((item) => kindIn(item.key) === name && item.end === end).length
  const unseen = items.filter(({ end }) => end === 'unknown').length
  const parts = [
    ...LONG_KINDS.map(({ name, long: { words } }) => [of(name, 'good'), words.ended] as const),
    ...LONG_KINDS.map(({ name, long: { noun } }) => {
      const failed = { one: `${noun.one} failed`, several: `${noun.several} failed` }
      return [of(name, 'bad'), failed] as const
    }),
    [unseen, { one: 'unknown outcome', several: 'unknown outcomes' }] as const,
  ]
  return enumerate(
    parts.flatMap(([many, { one, several }]) => (many === 0 ? [] : [count(many, one, several)])),
  )
}
