import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Command } from '../../../shared/command/command.ts'
import { expire } from '../../../shared/command/commands/expire.ts'
import { helpOver } from '../../../shared/command/commands/help.ts'
import { pause } from '../../../shared/command/commands/pause.ts'
import { resume } from '../../../shared/command/commands/resume.ts'
import { commands } from '../../../shared/command/commands.ts'
import { complete } from '../../../shared/command/complete.ts'
import { discordCommands } from '../../../shared/command/discord.ts'
import { parseLine } from '../../../shared/command/parse.ts'
import { previewOf } from '../../../shared/command/preview.ts'
import { INSTANCE, oneOf, SNAPSHOT } from '../../../shared/command/scope.ts'
import { usageOf } from '../../../shared/command/usage.ts'
import { ok } from '../../../shared/result.ts'
import { isDestructive } from '../../../shared/work/verbs.ts'
import { said, seenOf } from './commands/seen.ts'

const NOW = new Date('2026-11-22T03:00Z')

const namesOf = (role: string): string[] =>
  commands.filter((command) => command.role === role).map(({ name }) => name)

describe('the list', () => {
  test('has a command for each file, once', () => {
    const names = commands.map(({ name }) => name)
    const files = readdirSync(join(import.meta.dirname, '../../../shared/command/commands'))
    expect(names.map((name) => `${name}.ts`).sort()).toEqual(files.sort())
  })

  test('is all that a further command needs to be known everywhere', () => {
    const drill: Command = {
      ...{ kind: 'change', does: 'restore', name: 'drill', summary: 'Try a snapshot', role: 'admin' },
      ...{ parameters: [INSTANCE, SNAPSHOT], examples: ['drill web1 x'] },
      request: (values, reason) => ok({ do: 'restore', reason, ...oneOf(values) }),
    }
    const more = [...commands, drill]
    expect(parseLine('drill web1 x', more)).toMatchObject({ ok: true, value: { command: drill } })
    expect(parseLine('dril web1 x', more)).toMatchObject({
      error: { text: expect.stringContaining('drill') },
    })
    expect(previewOf('drill web1 x', more)).toMatchObject({ value: { request: { do: 'restore' } } })
    expect(JSON.stringify(discordCommands(more))).toContain('"name":"drill"')
    const names = { instances: ['main/default/web1'], snapshots: {}, policies: [] }
    expect(complete('drill', 'instance', 'we', {}, names, more)).toEqual([{ name: 'web1', value: 'web1' }])
    expect(
      said(
        helpOver(() => more),
        seenOf(),
        { command: 'drill' },
      ),
    ).toContain('has to be confirmed')
  })

  test('says who may what, and what is destructive', () => {
    expect(namesOf('operator')).toEqual([
      ...[
        'doctor',
        'now',
        'copy',
        'export',
        'check',
        'cancel',
        'hold',
        'release',
        'undo',
        'hold-export',
        'release-export',
        'undo-export',
        'expiry',
        'rename',
        'describe',
        'schedule',
        'take-over',
      ],
      ...['pause', 'resume', 'notify'],
    ])
    expect(namesOf('admin')).toEqual([
      'files',
      'restore',
      'put',
      'clone',
      'bring-back',
      'move',
      'import',
      'expire',
      'remove-export',
      'allow',
    ])
    expect(
      commands
        .filter((command) => command.kind === 'change' && isDestructive({ do: command.does }))
        .map(({ name }) => name),
    ).toEqual(['restore', 'put', 'expire', 'remove-export', 'allow'])
  })

  test('reads, previews and settings are for those whose role says so', () => {
    const changing = commands.filter(({ kind }) => kind === 'change' || kind === 'setting')
    expect(changing.filter(({ role }) => role === 'viewer')).toEqual([])
  })
})

test.each(commands.flatMap((command) => command.examples.map((example) => [example, command] as const)))(
  'the example "%s" is of its command, and can be typed',
  (example, command) => {
    const parsed = parseLine(example, commands)
    expect(parsed).toMatchObject({ ok: true, value: { command: { name: command.name } } })
    if (command.kind === 'change') expect(previewOf(example, commands)).toMatchObject({ ok: true })
  },
)

test.each([
  ["now 'db*' --policy=daily", { do: 'snapshot', instances: ['db*'], policies: ['daily'] }],
  ['copy', { do: 'copy' }],
  ['copy web1', { do: 'copy', instances: ['web1'] }],
  ['restore main/default/web1 x', { do: 'restore', instance: 'main/default/web1', snapshot: 'x' }],
  ['restore web1 x --stateful', { do: 'restore', instance: 'web1', snapshot: 'x', stateful: true }],
  ['restore web1 x --stateful=no', { do: 'restore', instance: 'web1', snapshot: 'x' }],
  ['hold web1 x for audit', { do: 'hold', instance: 'web1', snapshot: 'x', note: 'for audit' }],
  ['hold web1 x', { do: 'hold', instance: 'web1', snapshot: 'x', note: 'requested by Ann' }],
  ['release web1 x', { do: 'release', instance: 'web1', snapshot: 'x' }],
  ['expire --policy=daily', { do: 'expire', policies: ['daily'] }],
  ["expire web1 --snapshot='a*'", { do: 'expire', instances: ['web1'], snapshots: ['a*'] }],
  ['expire web1 --snapshot=a --now', { do: 'expire', instances: ['web1'], snapshots: ['a'], grace: 0 }],
  [
    'expire web1 --snapshot=a --grace=5d',
    { do: 'expire', instances: ['web1'], snapshots: ['a'], grace: 432_000 },
  ],
  ['cancel web1', { do: 'cancel', instance: 'web1' }],
  ['undo web1 x', { do: 'undo', instance: 'web1', snapshot: 'x' }],
  ['expiry web1 x --in=30d', { do: 'expiry', instance: 'web1', snapshot: 'x', expiry: '30d' }],
  ['expiry web1 x --in=never', { do: 'expiry', instance: 'web1', snapshot: 'x', expiry: null }],
  ['schedule web1', { do: 'schedule', instance: 'web1', config: {} }],
  [
    'schedule web1 --expiry=7d --stopped 0 3 * * *',
    {
      ...{ do: 'schedule', instance: 'web1' },
      config: {
        'snapshots.schedule': '0 3 * * *',
        'snapshots.schedule.stopped': 'true',
        'snapshots.expiry': '7d',
      },
    },
  ],
  ['schedule web1 none', { do: 'schedule', instance: 'web1', config: { 'snapshots.schedule': '' } }],
  ['take-over web1', { do: 'take-over', instance: 'web1' }],
])('%s is asked of the engine', (line, ask) => {
  const parsed = parseLine(line, commands)
  if (!parsed.ok || parsed.value.command.kind !== 'change') throw new Error(line)
  const { command, values } = parsed.value
  expect({ do: command.does }).toEqual({ do: ask.do })
  expect(command.request(values, 'requested by Ann')).toEqual({
    ok: true,
    value: { reason: 'requested by Ann', ...ask },
  })
})

test('a pause ends by itself, or when somebody resumes it', () => {
  const paused = { do: 'pause', policy: 'daily', by: 'Ann', at: '2026-11-22T03:00:00.000Z' }
  expect(pause.change({ policy: 'daily', duration: '1d2h' }, 'Ann', NOW)).toEqual({
    ok: true,
    value: { ...paused, until: '2026-11-23T05:00:00.000Z' },
  })
  expect(pause.change({ policy: 'daily' }, 'Ann', NOW)).toEqual({
    ok: true,
    value: { ...paused, until: null },
  })
  expect(resume.change({ policy: 'daily' }, 'Ann', NOW)).toEqual({
    ok: true,
    value: { do: 'resume', policy: 'daily' },
  })
})

test('the longest pause that can be typed has an end', () => {
  const changed = pause.change({ policy: 'daily', duration: '999999d999999h' }, 'Ann', NOW)
  expect(changed).toMatchObject({ ok: true, value: { until: expect.stringMatching(/^4\d{3}-/) } })
})

test('a usage line shows what may be left out', () => {
  expect(usageOf(expire)).toBe(
    'expire [instances…] [--policy=<policy>] [--snapshot=<snapshot>] [--grace=<grace>] [--now]',
  )
})
