/** Files with secrets in them: whom they are open to, and that git never takes them. */
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { exposuresOf } from '../../../relay/environment.ts'
import { keepPrivate, writePrivate } from '../../../scripts/trust/private-file.ts'

const ROOT = join(import.meta.dirname, '../../..')

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stapes-secrets-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const modeOf = (name: string): string => (statSync(join(folder, name)).mode & 0o777).toString(8)

/** As a careless shell has it: whatever is created without a mode is open to everybody. */
const shell = (commands: string): string =>
  execFileSync('sh', ['-ec', `umask 0\n${commands}`], { cwd: folder, encoding: 'utf8' })

describe('what git takes', () => {
  test.each([
    ...['client.key', 'client.crt', 'relay.jsonc', 'secrets.env', '.env', '.dev.vars'],
    ...['.stapes/relay.jsonc-0a1b2c3d/state/v3/kv/STATE/blobs/0', '.stapes/relay.jsonc-0a1b2c3d/lock'],
    ...['site/relay.jsonc', 'site/client.key', 'site/client.crt', 'relay.backup.jsonc', '.env.local'],
    ...['relay-key.env', 'client-2.key', 'client-2.crt'],
  ])('leaves %s out', (name) => {
    copyFileSync(join(ROOT, '.gitignore'), join(folder, '.gitignore'))
    shell('git init -q .')
    expect(shell(`git check-ignore ${name}`).trim()).toBe(name)
  })

  test('has all that belongs to stapes', () => {
    copyFileSync(join(ROOT, '.gitignore'), join(folder, '.gitignore'))
    shell('git init -q .')
    for (const name of ['.env.example', 'stapes.jsonc', 'relay/main.ts', 'docs/examples/tiers.jsonc'])
      expect(() => shell(`git check-ignore -q ${name}`)).toThrow()
  })
})

describe('a private file', () => {
  test('is created for its owner alone', () => {
    writePrivate(join(folder, 'new'), 'secret')
    expect([modeOf('new'), readFileSync(join(folder, 'new'), 'utf8')]).toEqual(['600', 'secret'])
  })

  test('that others could read is theirs no more, and that is reported', () => {
    writeFileSync(join(folder, 'wide'), 'a long text of before')
    chmodSync(join(folder, 'wide'), 0o666)
    expect(writePrivate(join(folder, 'wide'), 'secret')).toBe(true)
    expect([modeOf('wide'), readFileSync(join(folder, 'wide'), 'utf8')]).toEqual(['600', 'secret'])
    expect(writePrivate(join(folder, 'wide'), 'again')).toBe(false)
  })

  test('may be a link to one', () => {
    writeFileSync(join(folder, 'wide'), 'secret')
    chmodSync(join(folder, 'wide'), 0o640)
    symlinkSync('wide', join(folder, 'link'))
    expect([keepPrivate(join(folder, 'link')), modeOf('wide')]).toEqual([true, '600'])
  })
})

describe('the commands of the README', () => {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')

  test.for([false, true])(
    'write secrets.env for its owner alone, also where it was there: %s',
    (wasThere) => {
      const block = /^ {3}install .*secrets\.env.*\n {3}cat > secrets\.env <<EOF\n(.*\n)+? {3}EOF$/m.exec(
        readme,
      )?.[0]
      if (wasThere) shell('echo old > secrets.env')
      shell((block ?? 'false').replace(/^ {3}/gm, ''))
      expect(modeOf('secrets.env')).toBe('600')
      expect(readFileSync(join(folder, 'secrets.env'), 'utf8')).toMatch(/^RELAY_KEY=<the key>$/m)
    },
  )

  test('copy .env.example for its owner alone', () => {
    copyFileSync(join(ROOT, '.env.example'), join(folder, '.env.example'))
    shell(/`(install [^`]*\.env)`/.exec(readme)?.[1] ?? 'false')
    expect(modeOf('.env')).toBe('600')
  })
})

test('the relay warns of its files that others can read, wherever their paths come from', () => {
  const file = join(folder, 'relay.jsonc')
  const client = { certificate: 'client.crt', key: 'client.key' }
  writePrivate(file, JSON.stringify({ client }))
  // A certificate is no secret.
  for (const name of ['client.crt', 'client.key', 'other.key']) {
    writeFileSync(join(folder, name), 'key')
    chmodSync(join(folder, name), 0o644)
  }
  expect(exposuresOf({ RELAY_CONFIG: file })).toEqual([
    expect.stringMatching(/may read .*client\.key, .*chmod 600 .*client\.key$/),
  ])
  const other = { RELAY_CONFIG: file, RELAY_CLIENT_KEY: join(folder, 'other.key') }
  expect(exposuresOf(other)).toEqual([expect.stringContaining('other.key')])
  chmodSync(join(folder, 'client.key'), 0o600)
  expect(exposuresOf({ RELAY_CONFIG: file })).toEqual([])
})
