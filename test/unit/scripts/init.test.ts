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
