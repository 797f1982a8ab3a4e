/** Hostile values, and valid ones made hostile: the same for the same seed. */
import { seededRandom } from '../simulation/random.ts'

export type Dice = {
  below(limit: number): number
  chance(share: number): boolean
  pick<Item>(items: readonly Item[]): Item
}

export function createDice(seed: number): Dice {
  const random = seededRandom(seed)
  const below = (limit: number): number => Math.floor(random() * limit)
  return {
    below,
    chance: (share) => random() < share,
    pick: <Item>(items: readonly Item[]) => items[below(items.length)] as Item,
  }
}

export const TEXTS: readonly string[] = [
  ...[
    '',
    ' ',
    '*',
    '?',
    '.',
    '..',
    '../..',
    '%2e%2e%2f',
    '%',
    '%zz',
    '%00',
    'a/b',
    'a\\b',
    '//',
    '#',
    '?x=1',
  ],
  ...['constructor', 'toString', '__proto__', 'hasOwnProperty', 'valueOf', 'prototype', 'length'],
  ...[
    '\u0000',
    '\r\n',
    '\u001b[2J',
    '\u202e',
    '\ud800',
    '\udfff',
    '\u2028',
    'ſtep',
    'KELVIN\u212a',
    'ünï',
    '🦆',
  ],
  ...['main', 'backup', 'default', 'web', 'daily', 'nobody', 'x'.repeat(501), 'y'.repeat(5000)],
  ...[
    'null',
    'true',
    '0',
    '-1',
    '1e999',
    '9007199254740993',
    '0x10',
    '2026-13-45T99:99:99Z',
    '2026-11-22T03:00:00Z',
  ],
  ...['<script>', "' OR 1=1 --", '{{7*7}}', '$(id)', '`id`', 'https://evil.example/', 'file:///etc/passwd'],
]

const VALUES: readonly unknown[] = [
  ...TEXTS,
  ...[null, true, false, 0, -1, 1.5, 1e21, -0, 2 ** 53, [], {}, [[]], [null], { '': '' }, { $step: 0 }],
  ...[{ $step: -1, pointer: '/constructor' }, { $operationUrl: 0 }, { $certificate: 'main' }],
  Array.from({ length: 300 }, () => 'a'),
]

/** One place of a JSON value is replaced, removed, doubled or surrounded. */
export function mutate(value: unknown, dice: Dice): unknown {
  if (typeof value !== 'object' || value === null || dice.chance(0.15)) return dice.pick(VALUES)
  if (Array.isArray(value)) {
    const at = dice.below(value.length + 1)
    if (at === value.length) return [...value, dice.pick(VALUES)]
    if (dice.chance(0.1)) return value.toSpliced(at, 1)
    if (dice.chance(0.1)) return [...value, value[at]]
    return value.with(at, mutate(value[at], dice))
  }
  const entries = Object.entries(value)
  const at = dice.below(entries.length + 1)
  const [key = '', inner] = entries[at] ?? []
  if (at === entries.length) return Object.fromEntries([...entries, [dice.pick(TEXTS), dice.pick(VALUES)]])
  if (dice.chance(0.1)) return Object.fromEntries(entries.toSpliced(at, 1))
  if (dice.chance(0.1)) return Object.fromEntries([...entries, [key.toUpperCase(), inner]])
  return Object.fromEntries(entries.with(at, [key, mutate(inner, dice)]))
}

/** A text that is cut, doubled, or has foreign characters in it. */
export function garble(text: string, dice: Dice): string {
  const at = dice.below(text.length + 1)
  switch (dice.below(6)) {
    case 0:
      return text.slice(0, at)
    case 1:
      return text.slice(0, at) + dice.pick(TEXTS) + text.slice(at)
    case 2:
      return text.slice(0, at) + dice.pick(TEXTS) + text.slice(at + 1)
    case 3:
      return text.slice(0, at) + text.slice(Math.max(0, at - 20))
    case 4:
      return text.slice(0, at) + String.fromCharCode(dice.below(256)) + text.slice(at + 1)
    default:
      return dice.pick(TEXTS)
  }
}

/** The body of a request: mostly JSON with some places changed, also broken or deeply nested JSON. */
export function hostileBody(base: unknown, dice: Dice): string {
  let value = base
  for (let times = dice.below(4); times >= 0; times--) value = mutate(value, dice)
  const text = JSON.stringify(value) ?? ''
  if (dice.chance(0.02)) return '['.repeat(dice.below(20_000))
  if (dice.chance(0.02)) return `${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`
  if (dice.chance(0.1)) return text.replace('{', '{"__proto__":{"jobs":[],"remotes":["main"]},')
  return dice.chance(0.2) ? garble(text, dice) : text
}
