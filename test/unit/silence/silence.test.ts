/** When a silence of the edge is told, and how. */
import { describe, expect, test } from 'vitest'
import { isSilent, reminderAfter, type Told, toldAfter, wordFor } from '../../../shared/silence/silence.ts'
import { sayOf } from '../../../shared/silence/text.ts'
import { viewOf } from '../../../shared/silence/view.ts'
import { recordOf, replyOf } from '../policy/instances.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const NOW = Date.parse('2026-11-22T05:30:00Z')
const terms = { started: 0, grace: 4 * MINUTE }
const heard = { at: NOW, again: MINUTE }

describe('the edge', () => {
  test('may be as late as the grace beyond what it announced', () => {
    expect(isSilent(heard, terms, NOW + 5 * MINUTE)).toBe(false)
    expect(isSilent(heard, terms, NOW + 5 * MINUTE + 1)).toBe(true)
    expect(isSilent({ ...heard, again: HOUR }, terms, NOW + 60 * MINUTE)).toBe(false)
  })

  test('is not silent because the relay could not hear', () => {
    const started = NOW + 3 * HOUR
    expect(isSilent(heard, { ...terms, started }, started + MINUTE)).toBe(false)
    expect(isSilent(heard, { ...terms, started }, started + 6 * MINUTE)).toBe(true)
  })
})

describe('a silence', () => {
  test('is told once, again after 1, 3, 9 and each further 24 hours, and its end once', () => {
    let told: Told | null = null
    let last = heard
    const words: string[] = []
    for (let minute = 0; minute <= 72 * 60; minute++) {
      const now = NOW + minute * MINUTE
      if (minute === 70 * 60) last = { at: now, again: MINUTE }
      if (minute > 70 * 60) last = { ...last, at: now }
      const word = wordFor(last, told, terms, now)
      if (word === null) continue
      words.push(`${minute} ${word}`)
      told = toldAfter(word, last, told, now)
    }
    expect(words).toEqual([
      ...['6 silent', '66 still', '246 still', '786 still', '2226 still', '3666 still'],
      '4200 over',
    ])
  })

  test('is not over because the relay was started again in it', () => {
    const told = toldAfter('silent', heard, null, NOW + 6 * MINUTE)
    const now = NOW + HOUR
    expect(wordFor(heard, told, { ...terms, started: now }, now)).toBeNull()
  })

  test('is reminded of at most once a day', () => {
    expect([1, 2, 3, 4, 9].map((count) => reminderAfter(count) / HOUR)).toEqual([1, 3, 9, 24, 24])
  })
})

const seconds = NOW / 1000

test('what Incus shows has the worst first, counts only what is verified on copies, and tells what it can’t tell', () => {
  const copyOf = (source: string) => ({
    'user.stapes.replica-of': source,
    'user.stapes.verified': `a@${seconds - 7200}`,
  })
  const view = viewOf(
    {
      main: replyOf([
        recordOf('young', { snapshots: [['b', seconds - 60]] }),
        recordOf('old', {
          snapshots: [
            ['a', seconds - 7200],
            ['b', seconds - 3600],
          ],
        }),
        recordOf('bare', { snapshots: [] }),
        recordOf('dark', { snapshots: null, project: 'shop' }),
      ]),
      backup: replyOf([
        recordOf('old', {
          snapshots: [
            ['a', seconds - 7200],
            ['b', seconds - 60],
          ],
          own: copyOf('main/default/old'),
        }),
      ]),
      third: { ok: false, error: { code: 'unreachable', message: 'no route' } },
    },
    NOW,
  )
  expect(view).toEqual([
    'newest snapshots on main:',
    '  shop/dark: not known, its pool could not be listed',
    '  bare: none',
    '  old: b, 60 min ago',
    '  young: b, 60 s ago',
    'newest verified snapshots of the copies on backup:',
    '  old: a, 2 h ago',
    'third: no answer: no route',
  ])
})

test('of many instances the ten worst are named', () => {
  const many = Array.from({ length: 30 }, (_, at) =>
    recordOf(`i${at}`, { snapshots: [['s', seconds - at * 60]] }),
  )
  const view = viewOf({ main: replyOf(many) }, NOW)
  expect(view).toHaveLength(12)
  expect(view[1]).toBe('  i29: s, 29 min ago')
  expect(view.at(-1)).toBe('  and 20 more, whose newest ones are younger')
})

test('the message says since when, what that means and what to look at', () => {
  const now = NOW + 12 * MINUTE
  const said = sayOf('silent', { key: 'worker', heard, told: null, view: ['newest snapshots on main:'], now })
  expect(said).toEqual({
    title: 'stapes: the edge has been silent for 12 min',
    text: [
      'The relay has not heard from the Worker with the key "worker" since 2026-11-22 05:30 UTC; it announced its next call within 60 s. Meanwhile nothing is backed up, and stapes raises no other alarm.',
      'Is the cron trigger on, is the Worker deployed with a configuration, does KV work, and is the tunnel up? If that key is no longer used, remove it from "keys" in relay.jsonc.',
      'newest snapshots on main:',
    ].join('\n'),
  })
  const told = toldAfter('silent', heard, null, now)
  expect(
    sayOf('over', { key: 'worker', heard: { at: NOW + HOUR, again: MINUTE }, told, view: [], now }).title,
  ).toBe('stapes: the edge is back, after 60 min of silence')
  expect(
    sayOf('silent', { key: '', heard: { at: 0, again: MINUTE }, told: null, view: [], now }).text,
  ).toContain('The relay has not heard from any Worker since it started.')
})
