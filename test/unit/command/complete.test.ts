import { describe, expect, test } from 'vitest'
import { commands } from '../../../shared/command/commands.ts'
import { complete, type Names } from '../../../shared/command/complete.ts'

const names: Names = {
  instances: [
    'main/default/web1',
    'backup/default/web1',
    'main/shop/web2',
    'main/default/db1',
    'main/shop/db1',
    'backup/lab/new-web',
  ],
  snapshots: {
    'main/shop/web2': ['daily-20261122T0300Z', 'hourly-20261122T0200Z', 'daily-20261121T0300Z'],
    'main/default/db1': ['daily-20261122T0300Z', 'before-upgrade'],
  },
  policies: ['daily', 'hourly'],
}

const offered = (command: string, option: string, typed: string, options: Record<string, string> = {}) =>
  complete(command, option, typed, options, names, commands).map(({ value }) => value)

describe('instances', () => {
  test('come by the shortest path that no other has', () => {
    expect(offered('restore', 'instance', '')).toEqual([
      'main/default/web1',
      'backup/default/web1',
      'web2',
      'default/db1',
      'shop/db1',
      'new-web',
    ])
  })

  test.each([
    [
      'those that begin so before those that hold it',
      'web',
      ['main/default/web1', 'backup/default/web1', 'web2', 'new-web'],
    ],
    ['by project', 'shop', ['web2', 'shop/db1']],
    ['by remote', 'main/sh', ['web2', 'shop/db1']],
    ['in any case', 'WEB2', ['web2']],
    ['none', 'mail', []],
  ])('%s: %s', (_, typed, values) => {
    expect(offered('restore', 'instance', typed)).toEqual(values)
  })

  test('of a list, the last word is completed', () => {
    expect(offered('now', 'instances', "web2 'db")).toEqual(['web2 default/db1', 'web2 shop/db1'])
    expect(offered('now', 'instances', 'web2 web')).not.toContain('web2 web2')
    expect(offered('now', 'instances', 'web2 ')).toContain('web2 new-web')
  })
})

describe('snapshots', () => {
  test.each([
    ['newest first', '', 'web2', ['daily-20261122T0300Z', 'hourly-20261122T0200Z', 'daily-20261121T0300Z']],
    ['as typed', 'hour', 'web2', ['hourly-20261122T0200Z']],
    ['by a part', '1121', 'main/shop/web2', ['daily-20261121T0300Z']],
    ['of an instance that isn’t there', '', 'mail', []],
  ])('%s', (_, typed, instance, values) => {
    expect(offered('restore', 'snapshot', typed, { instance })).toEqual(values)
  })

  test('need an instance', () => {
    expect(offered('restore', 'snapshot', '')).toEqual([])
  })

  test('of several instances come once', () => {
    expect(offered('expire', 'snapshot', 'd', { instances: "web2 'db*'" })).toEqual([
      'daily-20261122T0300Z',
      'daily-20261121T0300Z',
      'before-upgrade',
    ])
  })
})

test.each([
  ['policies', 'pause', 'policy', 'h', ['hourly']],
  ['commands', 'help', 'command', 'res', ['restore', 'resume']],
  ['nothing for free words', 'hold', 'note', 'a', []],
  ['nothing for what there isn’t', 'hold', 'policy', '', []],
  ['nothing for a command that there isn’t', 'frobnicate', 'policy', '', []],
])('%s', (_, command, option, typed, values) => {
  expect(offered(command, option, typed)).toEqual(values)
})

test('offers what Discord takes: at most 25, none longer than 100', () => {
  const many = Array.from({ length: 400 }, (_, index) => `main/default/web${index}`)
  const all = { ...names, instances: [`main/default/${'w'.repeat(101)}`, ...many] }
  const choices = complete('now', 'instances', 'db1 w', {}, all, commands)
  expect(choices).toHaveLength(25)
  expect(choices[0]).toEqual({ name: 'db1 web0', value: 'db1 web0' })
  expect(complete('now', 'instances', 'w'.repeat(101), {}, all, commands)).toEqual([])
})
