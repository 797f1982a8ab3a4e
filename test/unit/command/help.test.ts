import { expect, test } from 'vitest'
import type { Message } from '../../../shared/chat/message.ts'
import type { Command } from '../../../shared/command/command.ts'
import { helpOver } from '../../../shared/command/commands/help.ts'
import { hold } from '../../../shared/command/commands/hold.ts'
import { now } from '../../../shared/command/commands/now.ts'
import { plan } from '../../../shared/command/commands/plan.ts'
import { restore } from '../../../shared/command/commands/restore.ts'
import { commands } from '../../../shared/command/commands.ts'
import type { Seen } from '../../../shared/command/seen.ts'

const seen: Seen = {
  now: new Date('2026-11-22T03:00Z'),
  actor: { platform: 'api', id: 'api', principals: ['api'], user: '', name: 'Ann', place: '' },
  ...{
    applied: null,
    config: null,
    pauses: {},
    ledger: null,
    facts: null,
    world: null,
    coverages: [],
    history: [],
  },
  maySee: () => false,
}

function textOf({ headline, details }: Message): string[] {
  const lines = details.flatMap((block) =>
    block.kind === 'lines' ? ['', ...block.lines] : ['', [block.text]],
  )
  return [headline, ...lines].map((line) =>
    typeof line === 'string'
      ? line
      : line
          .map((piece) => {
            if (typeof piece === 'string') return piece
            if ('code' in piece) return `\`${piece.code}\``
            return 'strong' in piece ? `*${piece.strong}*` : '?'
          })
          .join(''),
  )
}

const answerOf = (list: readonly Command[], command?: string): string[] =>
  textOf(helpOver(() => list).answer(command === undefined ? {} : { command }, seen))

test('lists commands by the role that they take, each with its example', () => {
  expect(answerOf([plan, now, restore, hold])).toEqual([
    'These are the commands. More about one: `/backup help restore`',
    '',
    '*For viewers, operators and admins*',
    '`plan` – Show what the next tick, or another command, would do and why, without doing it',
    '',
    '*For operators and admins*',
    "`now` – Take a snapshot now, of instances or of all that a policy covers, as in `/backup now web1 'db*'`",
    '`hold` – Keep a snapshot until it is released, whatever retention says, as in `/backup hold web1 daily-20261122T0300Z`',
    '',
    '*For admins*',
    '`restore` – Restore an instance to one of its snapshots; its previous state is kept as a snapshot, as in `/backup restore web1 daily-20261122T0300Z`',
  ])
})

test('tells all about one', () => {
  expect(answerOf(commands, 'restore')).toEqual([
    '`/backup restore <instance> <snapshot> [--stateful] [--disk-only]`',
    '',
    'Restore an instance to one of its snapshots; its previous state is kept as a snapshot.',
    '`instance` – One instance: web1, default/web1 or main/default/web1',
    '`snapshot` – One of its snapshots, by name',
    '`--stateful` – Also restore the memory in a virtual machine’s snapshot; without it, the machine boots (optional)',
    '`--disk-only` – The disk alone: its settings stay as they are (Incus from 6.0.6 and 6.22 on) (optional)',
    'Needs the role admin; its plan is shown first and has to be confirmed.',
    '',
    '`/backup restore web1 daily-20261122T0300Z`',
    '`/backup restore vm1 daily-20261122T0300Z --stateful`',
  ])
  expect(answerOf(commands, 'now')).toContain('`--policy` – Only what this policy covers (optional)')
})

test('names every command, itself included', () => {
  const text = answerOf(commands).join('\n')
  expect(commands.filter(({ name }) => !text.includes(`\`${name}\` – `))).toEqual([])
})
