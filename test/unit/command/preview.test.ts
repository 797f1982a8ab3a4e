import { expect, test } from 'vitest'
import { commands } from '../../../shared/command/commands.ts'
import { previewOf } from '../../../shared/command/preview.ts'

test.each([
  ['nothing: the next tick', ' ', undefined, null],
  ['an instance', 'web1', { do: 'look', instances: ['web1'] }, null],
  ['globs', "web1 'db*'", { do: 'look', instances: ['web1', 'db*'] }, null],
  ['a path', 'main/default/web1 x', { do: 'look', instances: ['main/default/web1', 'x'] }, null],
  ['a policy', '--policy=daily', { do: 'look', policies: ['daily'] }, null],
  ['an instance that is nearly called like a command', 'restor', { do: 'look', instances: ['restor'] }, null],
  ['a command', 'restore web1 x', { do: 'restore', instance: 'web1', snapshot: 'x' }, 'restore web1 x'],
  [
    'a command with flags',
    'Now --policy daily',
    { do: 'snapshot', policies: ['daily'] },
    'now --policy=daily',
  ],
])('%s', (_, line, request, of) => {
  const previewed = previewOf(line, commands)
  expect(previewed).toEqual({
    ok: true,
    value: {
      request: request && { reason: 'requested', ...request },
      of: of === null ? null : expect.objectContaining({ line: of }),
    },
  })
})

test.each([
  [
    'what is nearly a command, with more behind it',
    'restor web1 x',
    'unknown-command',
    'There is no command "restor"; did you mean restore? An instance of that name is written default/restor.',
  ],
  ['a command with too little', 'restore web1', 'missing', /^restore needs snapshot/],
  ['a command that refuses', 'now', 'refused', /^Say which/],
  [
    'a setting',
    'pause daily',
    'refused',
    'pause changes nothing in Incus, so it has no plan. An instance of that name is written default/pause.',
  ],
  ['a reading command', 'help', 'refused', /^help changes nothing in Incus/],
  ['itself', 'plan now web1', 'refused', /^plan changes nothing in Incus/],
  ['no instance', 'web1 a,b', 'invalid', /^instances: expected .* got "a,b"$/],
  [
    'a flag that there isn’t',
    'web1 --snapshot=x',
    'unknown-flag',
    'plan has no "--snapshot". Usage: /backup plan [instances…] [--policy=<policy>]',
  ],
  ['an open quote', 'now "web1', 'quote', /^A quote is not closed/],
])('%s is a mistake', (_, line, code, text) => {
  expect(previewOf(line, commands)).toEqual({
    ok: false,
    error: { code, text: typeof text === 'string' ? text : expect.stringMatching(text) },
  })
})
