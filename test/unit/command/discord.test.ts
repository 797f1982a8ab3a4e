import { describe, expect, test } from 'vitest'
import { commands } from '../../../shared/command/commands.ts'
import { discordCommands } from '../../../shared/command/discord.ts'
import { checkDiscordCommands } from './discord-rules.ts'

const [backup, more] = discordCommands(commands)

test('is two commands of guilds with a subcommand for each, the seldom ones apart', () => {
  expect(discordCommands(commands)).toHaveLength(2)
  expect(backup).toMatchObject({ type: 1, name: 'backup', contexts: [0], integration_types: [0] })
  expect(more).toMatchObject({ type: 1, name: 'backup-more', contexts: [0], integration_types: [0] })
  expect(more?.options.map(({ name }) => name)).toEqual([
    'doctor',
    'files',
    'put',
    'move',
    'import',
    'hold-export',
    'release-export',
    'remove-export',
    'undo-export',
    'expiry',
    'rename',
    'describe',
    'schedule',
    'take-over',
  ])
  const all = [...(backup?.options ?? []), ...(more?.options ?? [])]
  expect(all.every(({ type }) => type === 1)).toBe(true)
  expect(all.map(({ name }) => name).sort()).toEqual(commands.map(({ name }) => name).sort())
})

test('says what Discord can complete, and what has to be given', () => {
  expect(backup?.options.find(({ name }) => name === 'hold')?.options).toEqual([
    { type: 3, name: 'instance', description: expect.any(String), required: true, autocomplete: true },
    { type: 3, name: 'snapshot', description: expect.any(String), required: true, autocomplete: true },
    { type: 3, name: 'note', description: expect.any(String), required: false },
  ])
})

test('asks for what is required first, wherever it stands', () => {
  const parameter = { kind: 'text', description: 'x' } as const
  const optional = { ...parameter, name: 'a', required: false }
  const required = { ...parameter, name: 'b', required: true }
  const [only] = commands
  if (only === undefined) throw new Error('there are no commands')
  const [made] = discordCommands([{ ...only, parameters: [optional, required] }])
  expect(made?.options[0]?.options.map(({ name }) => name)).toEqual(['b', 'a'])
})

describe('Discord’s limits', () => {
  test('are kept', () => {
    expect(checkDiscordCommands(discordCommands(commands))).toEqual([])
  })

  const [first] = commands
  test.each([
    ['a long description', { summary: 'x'.repeat(101) }, /description/],
    ['no description', { summary: '' }, /description/],
    ['a capital in a name', { name: 'Now' }, /name/],
    [
      'many options',
      { parameters: Array.from({ length: 26 }, (_, at) => option(`a${at}`, 'x')) },
      /more than 25/,
    ],
    ['the same name twice', { parameters: [option('a', 'x'), option('a', 'x')] }, /twice/],
    [
      'much text',
      { parameters: Array.from({ length: 25 }, (_, at) => option(`a${at}`, 'x'.repeat(100))) },
      null,
    ],
  ])('the rules would notice %s', (_, change, complaint) => {
    if (first === undefined) throw new Error('there are no commands')
    const broken = { ...first, ...change }
    const list =
      complaint === null
        ? [broken, { ...broken, name: 'b' }, { ...broken, name: 'c' }, { ...broken, name: 'd' }]
        : [broken]
    expect(checkDiscordCommands(discordCommands(list)).join('\n')).toMatch(complaint ?? /8000/)
  })
})

function option(name: string, description: string) {
  return { name, description, kind: 'text', required: false } as const
}
