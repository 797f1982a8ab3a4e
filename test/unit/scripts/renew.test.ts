/** Renewing what the relay is trusted by, with a server as Incus is: it lets a client replace its own certificate. */
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { TLSSocket } from 'node:tls'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { fingerprintOf } from '../../../scripts/trust/client.ts'
import { createCertificate } from '../../lab/certificate.ts'
import { runScript } from './script.ts'

type Incus = {
  server: Server
  url: string
  fingerprint: string
  trusted: Set<string>
  limited: Set<string>
  deaf: boolean
}

let main: Incus
let backup: Incus
let folder: string
let old: string

async function startIncus(): Promise<Incus> {
  const { cert, key } = await createCertificate('incus', 'server')
  const tls = { cert, key, minVersion: 'TLSv1.3', requestCert: true, rejectUnauthorized: false } as const
  const server = createServer(tls, async (request, response) => {
    const body = await text(request)
    const peer = (request.socket as TLSSocket).getPeerX509Certificate()
    const client = peer === undefined ? '' : fingerprintOf(peer.toString())
    const answer = (status: number, metadata: object) => {
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ metadata, error: status < 400 ? '' : 'refused' }))
    }
    const isTrusted = incus.trusted.has(client)
    if (request.url === '/1.0') return answer(200, { auth: isTrusted ? 'trusted' : 'untrusted' })
    if (!isTrusted) return answer(403, {})
    if (request.url?.startsWith('/1.0/projects') === true) return answer(200, [{ name: 'default' }])
    if (request.method === 'POST') return answer(incus.limited.has(client) ? 403 : 400, {})
    if (request.method !== 'PATCH' || request.url !== `/1.0/certificates/${client}`) return answer(404, {})
    if (incus.deaf) return answer(500, {})
    incus.trusted.delete(client)
    incus.trusted.add(fingerprintOf((JSON.parse(body) as { certificate: string }).certificate))
    return answer(200, {})
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  const incus: Incus = {
    ...{ server, url, fingerprint: fingerprintOf(cert) },
    ...{ trusted: new Set(), limited: new Set(), deaf: false },
  }
  return incus
}

beforeAll(async () => {
  main = await startIncus()
  backup = await startIncus()
  return () => {
    for (const { server } of [main, backup]) server.close()
  }
})

const npmRunTrust = (...args: string[]) => runScript('trust', { cwd: folder, args })
const noted = () => JSON.parse(readFileSync(join(folder, 'relay.jsonc'), 'utf8')) as Noted
type Noted = {
  keys: Record<string, string>
  client: { certificate: string; key: string }
  remotes: Record<string, { fingerprint: string | string[] }>
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'stapes-renew-'))
  const { cert, key } = await createCertificate('relay')
  old = fingerprintOf(cert)
  for (const incus of [main, backup])
    Object.assign(incus, { trusted: new Set([old]), limited: new Set(), deaf: false })
  writeFileSync(join(folder, 'client.crt'), cert, { mode: 0o600 })
  writeFileSync(join(folder, 'client.key'), key, { mode: 0o600 })
  const remote = ({ url, fingerprint }: Incus) => ({ url, fingerprint })
  const file = {
    keys: { worker: Buffer.alloc(32, 1).toString('base64') },
    client: { certificate: 'client.crt', key: 'client.key' },
    remotes: { main: remote(main), backup: remote(backup) },
  }
  writeFileSync(join(folder, 'relay.jsonc'), JSON.stringify(file), { mode: 0o600 })
})
afterEach(() => rmSync(folder, { recursive: true }))

const next = () => fingerprintOf(readFileSync(join(folder, 'client-2.crt'), 'utf8'))

describe('npm run trust -- --renew', () => {
  test('changes nothing until every server trusts the new certificate, and says how it gets there', async () => {
    const first = await npmRunTrust('--renew')
    expect(first.code).toBe(1)
    expect(first.errors.join('\n')).toMatch(
      /isn't ready yet on main, backup[\s\S]*incus config trust add-certificate/,
    )
    const made = next()
    expect(statSync(join(folder, 'client-2.key')).mode & 0o777).toBe(0o600)
    main.trusted.add(made)
    expect((await npmRunTrust('--renew')).errors[0]).toMatch(/isn't ready yet on backup\.$/)
    expect(noted().client.certificate).toBe('client.crt')
    expect(next()).toBe(made)
    backup.trusted.add(made)
    const { code, out } = await npmRunTrust('--renew')
    expect(code).toBe(0)
    expect(noted().client).toEqual({ certificate: 'client-2.crt', key: 'client-2.key' })
    expect(out.join('\n')).toContain(`incus config trust remove ${old.slice(0, 12)}`)
    // The old one is still trusted until somebody removes it: the relay that runs goes on.
    expect(main.trusted).toEqual(new Set([old, made]))
  })

  test('in place, each server replaces it, and what was broken off goes on', async () => {
    backup.deaf = true
    expect((await npmRunTrust('--renew', '--in-place')).code).toBe(1)
    expect([main.trusted, backup.trusted]).toEqual([new Set([next()]), new Set([old])])
    expect(noted().client.certificate).toBe('client.crt')
    backup.deaf = false
    expect((await npmRunTrust('--renew', '--in-place')).errors).toEqual([])
    expect(backup.trusted).toEqual(new Set([next()]))
    expect(noted().client).toEqual({ certificate: 'client-2.crt', key: 'client-2.key' })
  })

  test('in place, a server whose scriptlet would refuse the new one keeps the old one', async () => {
    backup.limited = new Set([old])
    const { code, errors } = await npmRunTrust('--renew', '--in-place')
    expect({ code, said: errors[0] }).toEqual({
      code: 1,
      said: expect.stringContaining('a scriptlet is in force'),
    })
    expect([main.trusted, backup.trusted]).toEqual([new Set([old]), new Set([old])])
  })

  test('a new certificate that a server trusts, but does not limit as the old one, is not used', async () => {
    await npmRunTrust('--renew')
    for (const incus of [main, backup]) incus.trusted.add(next())
    backup.limited = new Set([old])
    expect((await npmRunTrust('--renew')).errors[0]).toMatch(/isn't ready yet on backup\.$/)
    expect(noted().client.certificate).toBe('client.crt')
    backup.limited.add(next())
    expect((await npmRunTrust('--renew')).errors).toEqual([])
  })

  test('a half-made certificate is made anew', async () => {
    writeFileSync(join(folder, 'client-2.key'), 'cut off')
    await npmRunTrust('--renew')
    expect(readFileSync(join(folder, 'client-2.key'), 'utf8')).toMatch(/^-----BEGIN PRIVATE KEY-----/)
    expect(existsSync(join(folder, 'client-2.crt'))).toBe(true)
  })
})

describe('npm run trust -- --renew-key', () => {
  test('puts another key beside the one in use, which goes when it is told to', async () => {
    const { worker } = noted().keys
    const { code, out } = await npmRunTrust('--renew-key')
    expect(code).toBe(0)
    const { 'worker-2': made, ...others } = noted().keys
    expect(others).toEqual({ worker })
    const secrets = join(folder, 'relay-key.env')
    expect(readFileSync(secrets, 'utf8')).toBe(`RELAY_KEY_ID=worker-2\nRELAY_KEY=${made}\n`)
    expect(statSync(secrets).mode & 0o777).toBe(0o600)
    expect(out.join('\n')).not.toContain(made)
    expect(out.join('\n')).toMatch(/wrangler secret bulk .*relay-key\.env[\s\S]*--drop-key worker,/)
    expect((await npmRunTrust('--drop-key', 'worker')).code).toBe(0)
    expect(noted().keys).toEqual({ 'worker-2': made })
  })

  test.for([
    ['the only key', 'worker', 'is the only key'],
    ['a key that there is none of', 'other', 'there is no key "other"'],
    ['a key of every object', 'constructor', 'there is no key "constructor"'],
  ] as const)('does not drop %s', async ([, keyid, said]) => {
    const before = noted()
    const { code, errors } = await npmRunTrust('--drop-key', keyid)
    expect({ code, said: errors[0] }).toEqual({ code: 1, said: expect.stringContaining(said) })
    expect(noted()).toEqual(before)
  })
})

describe('npm run trust -- <remote> --renew-server', () => {
  const OTHER = 'ab'.repeat(32)
  const pin = (fingerprint: string | string[]) => {
    const file = noted()
    const remotes = { ...file.remotes, main: { ...file.remotes.main, fingerprint } }
    writeFileSync(join(folder, 'relay.jsonc'), JSON.stringify({ ...file, remotes }))
  }

  test('shows what the server shows now, and writes it only when it is named', async () => {
    pin(OTHER)
    const { code, errors } = await npmRunTrust('main', '--renew-server')
    expect(code).toBe(1)
    expect(errors.join('\n')).toMatch(new RegExp(`main shows ${main.fingerprint}.*\n(?:.*\n)*.*incus info`))
    expect(noted().remotes.main?.fingerprint).toBe(OTHER)
    const colons = (main.fingerprint.toUpperCase().match(/../g) ?? []).join(':')
    expect((await npmRunTrust('main', '--renew-server', '--accept', colons)).code).toBe(0)
    expect(noted().remotes.main?.fingerprint).toEqual([OTHER, main.fingerprint])
  })

  test.for([
    ['another one than the server shows', 'cd'.repeat(32), 'is not the one that you name'],
    ['a part of it', 'abcd', 'is no fingerprint'],
  ] as const)('does not write %s', async ([, given, said]) => {
    pin(OTHER)
    const { code, errors } = await npmRunTrust('main', '--renew-server', '--accept', given)
    expect({ code, said: errors[0] }).toEqual({ code: 1, said: expect.stringContaining(said) })
    expect(noted().remotes.main?.fingerprint).toBe(OTHER)
  })

  test('notes the one that the server will get, while it still shows the pinned one', async () => {
    expect((await npmRunTrust('main', '--renew-server')).out[0]).toContain(
      'shows a certificate that is pinned',
    )
    expect((await npmRunTrust('main', '--renew-server', '--accept', OTHER)).code).toBe(0)
    expect(noted().remotes.main?.fingerprint).toEqual([main.fingerprint, OTHER])
  })
})
