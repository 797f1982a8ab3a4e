/** What is said of work that takes long: while it goes on, at its end, and when nobody saw one. */
import { parseProgress, spanOf } from './age.ts'
import { cut, fold } from './details.ts'
import type { Message, Text } from './message.ts'
import type { Item, Watch } from './watch.ts'
import { count, enumerate, spoken, typed } from './words.ts'

type Told = Pick<Watch, 'line'>

/** One item is told in the first line; of several the first line counts, and the details tell. */
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
      ? []
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

/** Given up on looking, not on the work: the engine goes on with that. */
export const abandonedMessage = ({ line }: Told, items: readonly Item[]): Message => ({
  ...CHANNEL,
  tone: 'warning',
  headline: [
    typed(line),
    ': no end was seen within 24 hours, so this message follows it no longer. ',
    typed('status'),
    ' tells how it is.',
  ],
  details: fold(ranked(items).map(itemText), HOW),
})

const CHANNEL = { to: 'channel', buttons: [] } as const

const HOW: Text = [typed('status'), ' tells of each instance']

/** What went wrong comes first, then what still runs. */
const ranked = (items: readonly Item[]): Item[] => {
  const order = ['bad', 'unknown', null, 'good']
  return [...items].sort((a, b) => order.indexOf(a.end) - order.indexOf(b.end))
}

/** Of whole items only: of one transfer Incus tells no total. */
function bar(over: number, all: number): string {
  const full = Math.floor((over / all) * 20)
  return `${'█'.repeat(full)}${'░'.repeat(20 - full)} ${over} of ${all}`
}

function underWay(item: Item): Text {
  const { attempts, reason } = item
  const again: Text =
    attempts === 0
      ? []
      : [` (try ${attempts + 1}${reason === null ? '' : ' after: '}`, ...spoken(cut(reason ?? '')), ')']
  const doing: Text =
    item.kind === 'copy'
      ? ['copying ', { code: item.instance }]
      : [
          'restoring ',
          { code: item.instance },
          ...(item.snapshot === null ? [] : [' to ', { code: item.snapshot }]),
        ]
  return [...doing, ...howFar(item), ...again]
}

function howFar({ progress }: Item): Text {
  if (progress === null) return []
  const parsed = parseProgress(progress)
  if (parsed === null) return [', ', cut(progress, 80)]
  const of: Text = parsed.of === null ? [] : [' of ', { code: cut(parsed.of, 80) }]
  return [`, ${parsed.amount}`, ...of, ` at ${parsed.rate}`]
}

function itemText(item: Item): Text {
  if (item.end === null) return underWay(item)
  if (item.end === 'good') return goodText(item)
  const what = item.kind === 'copy' ? 'the copy' : 'the restore'
  const how = item.end === 'bad' ? `${what} failed: ` : `nobody saw how ${what} ended: `
  const next: Text = item.retryAt === null ? [] : ['. It is tried again ', { at: item.retryAt, style: 'ago' }]
  return [
    { code: item.instance },
    `: ${how}`,
    ...spoken(cut(item.reason ?? 'no reason was given')),
    ...next,
    ...wayBack(item),
  ]
}

function goodText(item: Item): Text {
  if (item.kind === 'restore') {
    const to: Text = item.snapshot === null ? ['as it was'] : ['back at ', { code: item.snapshot }]
    const but: Text = item.reason === null ? [] : ['; ', ...spoken(cut(item.reason))]
    return [{ code: item.instance }, ' is ', ...to, ...but, ...wayBack(item)]
  }
  const newest: Text = item.newest === null ? [] : [' up to ', { code: item.newest }]
  return [{ code: item.instance }, ' is verified on ', { code: item.target }, ...newest]
}

/** The safety snapshot holds what was there before the restore; one that failed may have failed before it. */
function wayBack(item: Item): Text {
  if (item.kind !== 'restore' || item.safety === null) return []
  const kept: Text =
    item.end === 'good'
      ? ['. The state before is kept in ', { code: item.safety }]
      : [
          '. The state before is in ',
          { code: item.safety },
          ', if ',
          typed(`list ${item.instance}`),
          ' shows that',
        ]
  return [...kept, '; to go back: ', typed(`restore ${item.instance} ${item.safety}`)]
}

const goodOf = (items: readonly Item[]): number => items.filter(({ end }) => end === 'good').length

function troubles(items: readonly Item[]): string {
  const many = items.filter(({ end }) => end === 'bad' || end === 'unknown').length
  return many === 0 ? '' : `, ${many} ended badly or unseen`
}

function cameTo(items: readonly Item[]): string {
  const many = (kind: Item['kind'], end: Item['end']) =>
    items.filter((item) => item.kind === kind && item.end === end).length
  const parts = [
    [many('copy', 'good'), 'copy verified', 'copies verified'],
    [many('restore', 'good'), 'instance restored', 'instances restored'],
    [many('copy', 'bad'), 'copy failed', 'copies failed'],
    [many('restore', 'bad'), 'restore failed', 'restores failed'],
    [many('copy', 'unknown') + many('restore', 'unknown'), 'end nobody saw', 'ends nobody saw'],
  ] as const
  return enumerate(
    parts.flatMap(([number, one, several]) => (number === 0 ? [] : [count(number, one, several)])),
  )
}
