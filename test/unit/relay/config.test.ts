import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { parseConfig } from '../../../relay/config.ts'
import { readConfig } from '../../../relay/environment.ts'
import { createCertificate } from '../../lab/certificate.ts'

const SECRET = Buffer.alloc(32, 7).toString('base64')
const client = await createCertificate('relay')
const stranger = await createCertificate('stranger')

const directory = mkdtempSync(join(tmpdir(), 'stapes-relay-config-'))
afterAll(() => rmSync(directory, { recursive: true }))

const remote = { url: 'https://10.0.0.1:8443', fingerprint: 'AB'.repeat(32) }
const GOOD = {
  keys: { worker: SECRET },
  client: { certificate: client.cert, key: client.key },
  remotes: { main: remote },
}

const parse = (change: object) => parseConfig({ ...GOOD, ...change }, directory)

test('what is left out gets its default, and what is written is brought into form', () => {
  const config = parse({ remotes: { main: { ...remote, url: 'https://10.0.0.1:8443/' } } })
  expect(config).toMatchObject({
    ok: true,
    value: {
      listen: { host: '127.0.0.1', port: 8788 },
      keys: { worker: Buffer.alloc(32, 7) },
      remotes: {
        main: {
          url: 'https://10.0.0.1:8443',
          address: 'https://10.0.0.1:8443',
          fingerprint: 'ab'.repeat(32),
        },
      },
    },
  })
})

test('of a cluster several members may be named, with their addresses and certificates in a list each', () => {
  const [one, two] = ['https://10.0.0.1:8443', 'https://10.0.0.2:8443']
  const main = { url: [one, two], fingerprint: ['ab'.repeat(32), 'CD'.repeat(32)] }
  const remotesOf = (given: object) => {
    const parsed = parse({ remotes: { main: given } })
    return parsed.ok ? parsed.value.remotes.main : parsed.error
  }
  const common = {
    ...{ url: one, fingerprint: ['ab'.repeat(32), 'cd'.repeat(32)] },
    ...{ role: 'source', restores: true },
  }
  expect(remotesOf(main)).toEqual({ ...common, address: one, spare: [{ url: two, address: two }] })
  const inside = ['https://192.168.0.1:8443', 'https://192.168.0.2:8443']
  expect(remotesOf({ ...main, address: inside })).toEqual({
    ...common,
    address: inside[0],
    spare: [{ url: two, address: inside[1] }],
  })
  expect(remotesOf({ ...main, address: inside[0] })).toEqual({
    ...common,
    address: inside[0],
    spare: [{ url: two, address: inside[0] }],
  })
})

const wrong: { name: string; change: object; says: RegExp }[] = [
  {
    name: 'a short key',
    change: { keys: { worker: 'c2hvcnQ=' } },
    says: /^keys\.worker: .*32 bytes.*openssl rand/,
  },
  {
    name: 'a key that is no base64',
    change: { keys: { worker: 'ü' } },
    says: /^keys\.worker: expected base64/,
  },
  { name: 'no key', change: { keys: {} }, says: /^keys: expected at least one/ },
  { name: 'a keyid with a quote', change: { keys: { 'a"b': SECRET } }, says: /^keys\.a"b: a keyid/ },
  { name: 'no remote', change: { remotes: {} }, says: /^remotes: expected at least one/ },
  {
    name: 'plain http',
    change: { remotes: { main: { ...remote, url: 'http://10.0.0.1' } } },
    says: /^remotes\.main\.url: expected https/,
  },
  {
    name: 'a cut fingerprint',
    change: { remotes: { main: { ...remote, fingerprint: 'abcd' } } },
    says: /^remotes\.main\.fingerprint: expected 64/,
  },
  {
    name: 'one of several urls that is none',
    change: { remotes: { main: { ...remote, url: ['https://10.0.0.1:8443', '10.0.0.2'] } } },
    says: /^remotes\.main\.url\.1: expected https/,
  },
  {
    name: 'an empty list of urls',
    change: { remotes: { main: { ...remote, url: [] } } },
    says: /^remotes\.main\.url: expected at least one/,
  },
  {
    name: 'no url',
    change: { remotes: { main: { fingerprint: remote.fingerprint } } },
    says: /^remotes\.main\.url: /,
  },
  {
    name: 'other addresses than urls',
    change: {
      remotes: {
        main: {
          ...remote,
          url: ['https://a', 'https://b', 'https://c'],
          address: ['https://a', 'https://b'],
        },
      },
    },
    says: /^remotes\.main\.address: expected one, or one for each url \(3\)/,
  },
  {
    name: 'an address to listen on as a text',
    change: { listen: '127.0.0.1:18788' },
    says: /^listen: expected an object, such as \{ "host": "127\.0\.0\.1", "port": 8788 \}$/,
  },
  {
    name: 'a client as a text',
    change: { client: 'client.crt' },
    says: /^client: expected an object, such as \{ "certificate": "client\.crt", "key": "client\.key" \}$/,
  },
  {
    name: 'keys as a text',
    change: { keys: 'c2VjcmV0' },
    says: /^keys: expected an object, such as \{ "worker": "<base64>" \}$/,
  },
  {
    name: 'a remote as a text',
    change: { remotes: { main: 'https://192.0.2.1:8443' } },
    says: /^remotes\.main: expected an object, such as \{ "url": "https:/,
  },
  {
    name: 'remotes as a list',
    change: { remotes: ['main'] },
    says: /^remotes: expected an object, such as \{ "main": \{ "url"/,
  },
  {
    name: 'an unknown setting',
    change: { remotes: { main: { ...remote, copy: 3 } } },
    says: /^remotes\.main: .*"copy"/,
  },
  {
    name: 'a file that is not there',
    change: { client: { certificate: 'none.crt', key: client.key } },
    says: /^client\.certificate: .*none\.crt can't be read/,
  },
  {
    name: 'the key of another certificate',
    change: { client: { certificate: client.cert, key: stranger.key } },
    says: /^client\.key: .*not the key of/,
  },
]

test.each(wrong)('$name is named with its path', ({ change, says }) => {
  const config = parse(change)
  expect(config.ok ? 'accepted' : config.error).toMatch(says)
})

test('a file may have comments, its paths are relative to it, and the environment beats it', () => {
  writeFileSync(join(directory, 'client.crt'), client.cert)
  writeFileSync(join(directory, 'client.key'), client.key)
  const file = join(directory, 'relay.jsonc')
  const paths = '"client": { "certificate": "client.crt", "key": "client.key" }, // beside this file'
  writeFileSync(file, `{ ${paths}\n "keys": ${JSON.stringify(GOOD.keys)}, "remotes": {}, }`)
  const config = readConfig({
    RELAY_CONFIG: file,
    RELAY_PORT: '9000',
    RELAY_REMOTES: JSON.stringify(GOOD.remotes),
  })
  expect(config).toMatchObject({
    ok: true,
    value: { listen: { host: '127.0.0.1', port: 9000 }, client: { certificate: client.cert } },
  })
})

test('a slip in the file is named with its line', () => {
  const file = join(directory, 'broken.jsonc')
  writeFileSync(file, '{\n "keys": \n}')
  const config = readConfig({ RELAY_CONFIG: file })
  expect(config.ok ? '' : config.error).toMatch(/broken\.jsonc, line 3/)
})

test('a variable that should be JSON and is not is named', () => {
  expect(readConfig({ RELAY_KEYS: 'abc' })).toEqual({
    ok: false,
    error: expect.stringContaining('RELAY_KEYS'),
  })
})

test('what is not there at all is said with what writes it', () => {
  expect(readConfig({ RELAY_CONFIG: join(directory, 'none.jsonc') })).toEqual({
    ok: false,
    error: expect.stringMatching(
      /^RELAY_CONFIG: there is no .*none\.jsonc; npm run trust -- <remote> <token> writes it$/,
    ),
  })
  expect(parseConfig({ remotes: {} }, directory)).toEqual({
    ok: false,
    error: [
      'keys: it is missing; npm run trust -- <remote> <token> writes it',
      'client: it is missing; npm run trust -- <remote> <token> writes it',
      'remotes: expected at least one remote',
    ].join('\n'),
  })
})
