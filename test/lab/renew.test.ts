/** The relay's client certificate is renewed on real servers: with what it was trusted for, and nothing more. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { fingerprintOf } from '../../scripts/trust/client.ts'
import { runScript } from '../unit/scripts/script.ts'
import { INCUSD, NEWER } from './installed.ts'
import { FENCED } from './layout.ts'
import { type Pair, startPair } from './pair.ts'
import { onRealIncus } from './real.ts'

for (const [version, incusd] of [
  ['6.0', INCUSD],
  ['7.0', NEWER],
] as const)
  onRealIncus(`a renewed certificate, on ${version}`, () => renewals(version, incusd), [incusd])

type Listed = { fingerprint: string; name: string; restricted: boolean; projects: string[] }

/** The relay has the certificate that is restricted to one project. */
async function open(incusd: string) {
  const pair = await startPair({ daemons: { main: incusd, backup: incusd } })
  const folder = mkdtempSync(join(tmpdir(), 'stapes-renew-'))
  onTestFinished(async () => {
    rmSync(folder, { recursive: true })
    await pair.close()
  })
  const { cert, key } = pair.main.clients.restricted
  writeFileSync(join(folder, 'client.crt'), cert, { mode: 0o600 })
  writeFileSync(join(folder, 'client.key'), key, { mode: 0o600 })
  const remote = ({ url, fingerprint }: Pair['main']) => ({ url, fingerprint })
  const remotes = { main: remote(pair.main), backup: remote(pair.backup) }
  const keys = { worker: Buffer.alloc(32, 1).toString('base64') }
  const client = { certificate: 'client.crt', key: 'client.key' }
  writeFileSync(join(folder, 'relay.jsonc'), JSON.stringify({ keys, client, remotes }), { mode: 0o600 })
  return {
    ...{ pair, old: fingerprintOf(cert) },
    trust: (...args: string[]) => runScript('trust', { cwd: folder, args }),
    next: () => readFileSync(join(folder, 'client-2.crt'), 'utf8'),
    named: () =>
      (JSON.parse(readFileSync(join(folder, 'relay.jsonc'), 'utf8')) as { client: typeof client }).client,
    certificatesOf: async (side: 'main' | 'backup') =>
      (await pair[side].run('GET', '/1.0/certificates?recursion=1')) as Listed[],
  }
}

function renewals(version: string, incusd: string): void {
  describe(`a renewed certificate, on ${version}`, { timeout: 120_000 }, () => {
    test('in place: each server replaces it, restricted as it was', async () => {
      const { trust, next, named, certificatesOf, old } = await open(incusd)
      const { code, errors } = await trust('--renew', '--in-place')
      expect({ code, errors }).toEqual({ code: 0, errors: [] })
      expect(named()).toEqual({ certificate: 'client-2.crt', key: 'client-2.key' })
      const fingerprint = fingerprintOf(next())
      for (const side of ['main', 'backup'] as const) {
        const listed = await certificatesOf(side)
        const renewed = listed.find(({ name }) => name === 'restricted')
        expect(renewed).toMatchObject({ fingerprint, restricted: true, projects: [FENCED] })
        expect(listed.map((one) => one.fingerprint)).not.toContain(old)
      }
      expect((await trust('main', '--scriptlet')).out.join('\n')).toContain(`RELAY = ["${fingerprint}"]`)
    })

    test('beside the old one, under scriptlets: both are trusted until the old one is removed', async () => {
      const { pair, trust, next, certificatesOf, old } = await open(incusd)
      const enforce = async () => {
        for (const side of ['main', 'backup'] as const) {
          const { out, errors } = await trust(side, '--scriptlet')
          await pair[side].run('PATCH', '/1.0', { config: { 'authorization.scriptlet': out.join('\n') } })
          for (const [, key = ''] of errors.join('\n').matchAll(/set (authorization\.client\.\S+)=/g))
            await pair[side].run('PATCH', '/1.0', { config: { [key]: 'scriptlet' } })
        }
      }
      await enforce()
      expect((await trust('--renew', '--in-place')).errors[0]).toContain('a scriptlet is in force')
      const certificate = next().replaceAll(/-----[^-]+-----|\s/g, '')
      const added = { name: 'new', type: 'client', certificate, restricted: true, projects: [FENCED] }
      for (const side of ['main', 'backup'] as const) await pair[side].run('POST', '/1.0/certificates', added)
      // The scriptlets don't name it yet.
      expect((await trust('--renew')).code).toBe(1)
      await enforce()
      expect((await trust('main', '--check')).code).toBe(0)
      expect((await trust('--renew')).errors).toEqual([])
      expect((await trust('main', '--check')).code).toBe(0)
      expect((await certificatesOf('main')).map(({ fingerprint }) => fingerprint)).toEqual(
        expect.arrayContaining([old, fingerprintOf(next())]),
      )
    })
  })
}
