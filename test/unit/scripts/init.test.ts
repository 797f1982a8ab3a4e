/** What `stapes init` refuses before anything is done. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { runScript } from './script.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stapes-init-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const init = (...args: string[]) => runScript('init', { cwd: folder, args: ['--yes', ...args] })
const said = async (...args: string[]): Promise<unknown> => {
  const { code, errors } = await init(...args)
  return [code, errors.join('\n')]
}

const token = (fingerprint: string): string =>
  Buffer.from(JSON.stringify({ fingerprint, addresses: ['127.0.0.1:1'], secret: 'x' })).toString('base64')

test.for([
  ['a token of a server that is none of those', ['--server', 'main', '--token', 'mian=x'], 'mian'],
  ['an address of a server that is none of those', ['--server', 'main', '--address', 'b=https://x'], 'b'],
  ['projects with a space between them', ['--projects', 'a b'], 'commas'],
  ['an address of the relay without https://', ['--relay-url', 'relay.example.org'], 'https://'],
] as const)('%s is refused before anything is written', async ([, args, why]) => {
  expect(await said(...args)).toEqual([2, expect.stringContaining(why)])
  expect(readdirSync(folder)).toEqual([])
})

test('what is no token is refused with the name of its server, and of the file', async () => {
  writeFileSync(join(folder, 'm.token'), 'nonsense\n')
  expect(await said('--server', 'main', '--token', 'main=m.token')).toEqual([
    1,
    expect.stringMatching(/^main: that is not a trust token .*\(m\.token\)$/),
  ])
})

test('a server that nobody has said to be there may be none', async () => {
  expect(await said()).toEqual([2, expect.stringContaining('--no-backup')])
  expect(await said('--backup', 'vault')).toEqual([2, expect.not.stringContaining('--no-backup')])
})

test('a token of a server that has another name already is refused: it would be its own backup server', async () => {
  const fingerprint = 'a'.repeat(64)
  const remotes = { main: { url: 'https://127.0.0.1:1', fingerprint: ['b'.repeat(64), fingerprint] } }
  writeFileSync(join(folder, 'relay.jsonc'), JSON.stringify({ remotes }))
  writeFileSync(join(folder, 'm.token'), token(fingerprint))
  expect(await said('--server', 'second', '--backup', 'main', '--token', 'second=m.token')).toEqual([
    1,
    expect.stringContaining('a token of main, not of second'),
  ])
})

const write = (document: unknown) => writeFileSync(join(folder, 'stapes.jsonc'), JSON.stringify(document))

test('policies of servers that are called otherwise, as in the sample, are told before anything is written', async () => {
  const daily = { schedule: '@daily', keep: { daily: 7 }, copy: { remote: 'backup' } }
  write({ policies: { daily: { ...daily, remotes: ['main'] } } })
  expect(await said('--server', 'web', '--backup', 'vault')).toEqual([
    2,
    expect.stringContaining('are for main and backup, and the servers here are web and vault'),
  ])
  expect(readdirSync(folder)).toEqual(['stapes.jsonc'])
  // A second target of relay.jsonc is there, though no copy of a new policy goes to it.
  const target = { url: 'https://127.0.0.1:1', fingerprint: 'a'.repeat(64), role: 'target' }
  writeFileSync(join(folder, 'relay.jsonc'), JSON.stringify({ remotes: { vault: target, backup: target } }))
  expect(await said('--server', 'main', '--token', 'main=none')).toEqual([
    1,
    expect.stringContaining("token's file can't be read"),
  ])
  rmSync(join(folder, 'relay.jsonc'))
  // A policy less is no reason: those of "second" are proposed.
  expect(await said('--server', 'main', '--server', 'second')).toEqual([
    2,
    expect.stringContaining('--token main=<file>'),
  ])
})

test('a document that can’t be used is told before anything is written, and nothing is added to it', async () => {
  write({ policies: { mine: { remotes: ['main'], schedule: '@hourly', kep: {} } } })
  expect(await said()).toEqual([1, expect.stringMatching(/stapes\.jsonc:1:\d+: .*kep: unknown key/)])
  expect(readdirSync(folder)).toEqual(['stapes.jsonc'])
})
