import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { readCertificate } from '../../emulator/certificate.ts'
import { createCertificate } from '../../lab/certificate.ts'
import { runScript } from './script.ts'

/** A server as 6.0.4 answers: it redeems a token once, and none for whom it trusts. */
let server: Server
let fingerprint: string
let incus: { trusted: boolean; tokens: number; product: string; deaf: boolean; members: string[] }
let folder: string

beforeAll(async () => {
  const { cert, key } = await createCertificate('incus', 'server')
  fingerprint = readCertificate(cert).fingerprint
  const tls = { cert, key, minVersion: 'TLSv1.3', requestCert: true, rejectUnauthorized: false } as const
  server = createServer(tls, async (request, response) => {
    await text(request)
    const answer = (status: number, body: object) => {
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(JSON.stringify(body))
    }
    if (request.url?.startsWith('/1.0/cluster/members') === true)
      return answer(200, { metadata: incus.members.map((url) => ({ url })) })
    if (request.method === 'GET') {
      const environment = incus.trusted
        ? { environment: { server: incus.product, server_clustered: incus.members.length > 0 } }
        : {}
      return answer(200, { metadata: { auth: incus.trusted ? 'trusted' : 'untrusted', ...environment } })
    }
    if (incus.trusted) return answer(400, { error: 'Client is already trusted' })
    if (incus.tokens-- < 1) return answer(403, { error: 'No matching certificate add operation found' })
    incus.trusted = !incus.deaf
    return answer(201, { error: '' })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterAll(() => server.close())
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stapes-trust-'))
  incus = { trusted: false, tokens: 1, product: 'incus', deaf: false, members: [] }
})
afterEach(() => rmSync(folder, { recursive: true }))

const address = (): string => `127.0.0.1:${(server.address() as AddressInfo).port}`
const token = (): string =>
  Buffer.from(
    JSON.stringify({ client_name: 'stapes', fingerprint, addresses: [address()], secret: 'x' }),
  ).toString('base64')
const npmRunTrust = (...args: string[]) => runScript('trust', { cwd: folder, args })
const noted = (): string => readFileSync(join(folder, 'relay.jsonc'), 'utf8')

describe('npm run trust', () => {
  test('makes a certificate, redeems the token, and writes relay.jsonc with a key', async () => {
    const url = `https://${address()}`
    expect(await npmRunTrust('main', token())).toEqual({
      code: 0,
      out: [
        `${url} trusts the relay's certificate now; "main" is in relay.jsonc`,
        'It may do everything in its projects. To let it do less: npm run -s trust -- main --scriptlet',
      ],
      errors: [],
    })
    expect(JSON.parse(noted())).toEqual({
      keys: { worker: expect.stringMatching(/^.{43}=$/) },
      client: { certificate: 'client.crt', key: 'client.key' },
      remotes: { main: { url, fingerprint } },
    })
  })

  test('takes the token from its input, so that it is not in the list of processes', async () => {
    const { code, errors } = await runScript('trust', {
      ...{ cwd: folder, args: ['main', '-'], input: `${token()}\n` },
    })
    expect({ code, errors, trusted: incus.trusted }).toEqual({ code: 0, errors: [], trusted: true })
  })

  test('writes that a remote is a target, and keeps it when it is added again', async () => {
    expect((await npmRunTrust('backup', token(), '--target')).code).toBe(0)
    const url = `https://${address()}`
    expect(JSON.parse(noted()).remotes).toEqual({ backup: { url, fingerprint, role: 'target' } })
    await npmRunTrust('backup', token())
    expect(JSON.parse(noted()).remotes).toEqual({ backup: { url, fingerprint, role: 'target' } })
  })

  test('writes files that nobody else can read, and narrows those that somebody could', async () => {
    const modes = () =>
      ['client.crt', 'client.key', 'relay.jsonc'].map((name) => statSync(join(folder, name)).mode & 0o777)
    expect((await npmRunTrust('main', token())).errors).toEqual([])
    expect(modes()).toEqual([0o600, 0o600, 0o600])
    for (const name of ['client.crt', 'client.key', 'relay.jsonc']) chmodSync(join(folder, name), 0o644)
    incus = { ...incus, trusted: false, tokens: 1 }
    const { code, errors } = await npmRunTrust('other', token())
    expect(code).toBe(0)
    expect(errors).toEqual([
      expect.stringMatching(/could read .*client\.key: its mode is 600 now/),
      expect.stringMatching(/could read relay\.jsonc: its mode is 600 now/),
      // As a target of "main" it would be lost together with it.
      expect.stringMatching(/"main" is the same server/),
    ])
    // The certificate is public, and stays as somebody left it.
    expect(modes()).toEqual([0o644, 0o600, 0o600])
  })

  test('writes the members of a cluster that answer from here as well', async () => {
    const [here, second] = [`https://${address()}`, `https://localhost:${address().split(':')[1]}`]
    incus.members = [here, 'https://127.0.0.1:1', second]
    const { out } = await npmRunTrust('main', token())
    expect(out[0]).toMatch(/"main" is in relay\.jsonc, with 1 more of its cluster$/)
    expect(JSON.parse(noted()).remotes).toEqual({ main: { url: [here, second], fingerprint } })
  })

  test('says that a token was not redeemed where the server trusted the certificate before', async () => {
    incus.trusted = true
    const { code, out, errors } = await npmRunTrust('main', token())
    expect({ code, out }).toEqual({ code: 1, out: [] })
    expect(errors[0]).toMatch(/^The token was not redeemed: .* already trusted this certificate/)
    expect(errors[2]).toContain('incus config trust revoke-token stapes')
    expect(noted()).toContain(fingerprint)
  })

  test.for([
    { wrong: 'is spent', set: { tokens: 0 }, said: /refused the token \(No matching .*a token works once/ },
    { wrong: 'is taken without an effect', set: { deaf: true }, said: /still doesn't trust the certificate/ },
    { wrong: 'is of LXD', set: { product: 'lxd' }, said: /is lxd and not Incus/ },
  ])('writes nothing where the token $wrong', async ({ set, said }) => {
    Object.assign(incus, set)
    const { code, errors } = await npmRunTrust('main', token())
    expect({ code, said: errors[0] }).toEqual({ code: 1, said: expect.stringMatching(said) })
    expect(existsSync(join(folder, 'relay.jsonc'))).toBe(false)
  })

  test.each([
    ['nothing', []],
    ['a name in capitals', ['Main', 'token']],
    ['an option', ['--help']],
    ['two things at once', ['main', '--check', '--scriptlet']],
    ['a token for a renewal', ['main', 'token', '--renew']],
    ['a right that there is none of', ['main', '--scriptlet', '--with', 'everything']],
    ['one word too many', ['main', 'token', 'https://one:8443', 'https://two:8443']],
  ])('says how it is used, given %s, and does nothing', async (_, args) => {
    const { code, errors } = await npmRunTrust(...args)
    expect({ code, first: errors[0], last: errors.at(-1) }).toEqual({
      code: 2,
      first: 'usage: npm run trust -- <remote> <token> [https://host:8443] [--target]',
      last: 'The remote is named as in stapes.jsonc, in lower case.',
    })
    expect(existsSync(join(folder, 'relay.jsonc'))).toBe(false)
  })

  test('says how to make a token where it is given none', async () => {
    const { code, errors } = await npmRunTrust('main', '<token>')
    expect({ code, said: errors[0] }).toEqual({
      code: 1,
      said: expect.stringMatching(/not a trust token of Incus; .*incus config trust add stapes --restricted/),
    })
  })

  test.each([
    [
      ['main'],
      [
        /^Which token\? The server of "main" makes one/,
        /incus config trust add stapes/,
        /trust -- main - {2}/,
      ],
    ],
    [
      ['backup', '--target'],
      [
        /^Which token/,
        /incus config trust add/,
        /trust -- backup - --target/,
        /only lacks its role: write "role": "target"/,
      ],
    ],
  ])('says what a token is and how to get one, given %s', async (args, said) => {
    const { code, errors } = await npmRunTrust(...args)
    expect({ code, errors }).toEqual({ code: 2, errors: said.map((text) => expect.stringMatching(text)) })
    expect(existsSync(join(folder, 'relay.jsonc'))).toBe(false)
  })

  test('keeps what somebody wrote into relay.jsonc, comments and other keys too', async () => {
    const url = `https://${address()}`
    const text = `{
  // ours
  "listen": { "port": 9000 },
  "keys": { "worker": "AAAA" },
  "client": { "certificate": "mine.crt", "key": "mine.key" },
  "remotes": {
    "main": {
      "url": "https://old:8443", // in the rack
      "fingerprint": "old",
      "address": "https://10.0.0.1:8443",
      "copies": 2
    }
  }
}
`
    writeFileSync(join(folder, 'relay.jsonc'), text)
    expect((await npmRunTrust('main', token())).code).toBe(0)
    expect(noted()).toBe(
      text
        .replace('https://old:8443', url)
        .replace('"fingerprint": "old"', `"fingerprint": "${fingerprint}"`),
    )
    expect(existsSync(join(folder, 'mine.key'))).toBe(true)
    expect(existsSync(join(folder, 'client.key'))).toBe(false)
  })

  test('adds to the several URLs of a cluster the one that answered', async () => {
    const remotes = { main: { url: ['https://a:8443', 'https://b:8443'], fingerprint: ['old', fingerprint] } }
    writeFileSync(join(folder, 'relay.jsonc'), JSON.stringify({ keys: {}, remotes }))
    expect((await npmRunTrust('main', token())).code).toBe(0)
    expect(JSON.parse(noted()).remotes.main).toEqual({
      url: [...remotes.main.url, `https://${address()}`],
      fingerprint: ['old', fingerprint],
    })
  })

  test.for([
    {
      wrong: 'relay.jsonc is broken',
      file: 'relay.jsonc',
      text: '{\n  "keys" 1}',
      said: /line 2, column 10: expected ":"/,
    },
    {
      wrong: 'half a certificate is there',
      file: 'client.crt',
      text: '',
      said: /there is only .*client\.crt of/,
    },
  ])('spends no token where $wrong', async ({ file, text, said }) => {
    writeFileSync(join(folder, file), text)
    const { code, errors } = await npmRunTrust('main', token())
    expect({ code, said: errors[0] }).toEqual({ code: 1, said: expect.stringMatching(said) })
    expect(incus.tokens).toBe(1)
  })

  test('says which address to name where the server does not answer', async () => {
    const { errors } = await npmRunTrust('main', token(), 'https://127.0.0.1:9')
    expect(errors.join('\n')).toMatch(/can't be reached:\n.*127\.0\.0\.1:9.*\nname the address/)
  })
})
