/** That the printed scriptlet widens nobody's right on a real server, and takes nothing from anybody but the relay. */

import { Agent, request } from 'undici'
import { beforeAll, describe, expect, test } from 'vitest'
import { type ClientCertificate, createPinnedConnector } from '../../relay/pinning.ts'
import { fingerprintOf } from '../../scripts/trust/client.ts'
import { renderScriptlet, type Trusted } from '../../scripts/trust/scriptlet.ts'
import { createCertificate } from './certificate.ts'
import { INCUSD, NEWER } from './installed.ts'
import { FENCED } from './layout.ts'
import { type Pair, startPair } from './pair.ts'
import { onRealIncus } from './real.ts'

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** Bodies that are refused after the right was looked at: whoever may, changes nothing. */
const CALLS: [Method, string, object?][] = [
  ['GET', '/1.0'],
  ['GET', '/1.0/projects?recursion=1'],
  ...['default', FENCED].flatMap((project): [Method, string, object?][] => [
    ['GET', `/1.0/instances?recursion=1&project=${project}`],
    ['GET', `/1.0/instances/one?project=${project}`],
    ['GET', `/1.0/profiles?recursion=1&project=${project}`],
    ['GET', `/1.0/profiles/default?project=${project}`],
    ['GET', `/1.0/images?project=${project}`],
    ['GET', `/1.0/networks?project=${project}`],
    ['GET', `/1.0/operations?project=${project}`],
    ['GET', `/1.0/metrics?project=${project}`],
    ['GET', `/1.0/storage-pools/default/volumes/container?project=${project}`],
    ['GET', `/1.0/projects/${project}`],
    ['PUT', `/1.0/projects/${project}`, { config: 1 }],
    ['POST', `/1.0/instances/one/exec?project=${project}`, { command: 1 }],
    ['GET', `/1.0/instances/none/files?project=${project}&path=/none`],
    ['PUT', `/1.0/instances/none?project=${project}`, {}],
    ['DELETE', `/1.0/instances/none?project=${project}`],
    ['POST', `/1.0/instances?project=${project}`, {}],
    ['POST', `/1.0/profiles?project=${project}`, {}],
    ['POST', `/1.0/networks?project=${project}`, {}],
  ]),
  ['GET', '/1.0/instances?recursion=1&all-projects=true'],
  ['GET', '/1.0/storage-pools/default'],
  ['GET', '/1.0/certificates'],
  ['GET', '/1.0/warnings'],
  ['GET', '/1.0/metrics'],
  ['GET', '/1.0/resources'],
  ['PATCH', '/1.0', { config: { 'no.such.key': '1' } }],
  ['POST', '/1.0/storage-pools', {}],
  ['POST', '/1.0/projects', {}],
]

/** What a certificate of another project could see of `default`, and can't any more. */
const NARROWER = [
  'GET /1.0/profiles/default?project=default',
  'GET /1.0/metrics?project=default',
  'GET /1.0/metrics',
]

for (const [version, incusd] of [
  ['6.0', INCUSD],
  ['7.0', NEWER],
] as const)
  onRealIncus(`others under the scriptlet, on ${version}`, () => others(version, incusd), [incusd])

function others(version: string, incusd: string): void {
  describe(`under the scriptlet, on ${version}`, () => {
    let pair: Pair
    let before: Record<string, Seen>
    let relay: ClientCertificate
    const clients = (): Record<'trusted' | 'restricted' | 'untrusted', ClientCertificate> => {
      const { trusted, restricted, untrusted } = pair.main.clients
      const named = ({ cert: certificate, key }: { cert: string; key: string }) => ({ certificate, key })
      return { trusted: named(trusted), restricted: named(restricted), untrusted: named(untrusted) }
    }
    const lookAs = async (client: ClientCertificate): Promise<Seen> => {
      const dispatcher = new Agent({ connect: createPinnedConnector(client, [pair.main.fingerprint]) })
      const seen: Seen = {}
      for (const [method, path, body] of CALLS) {
        const answer = await request(`${pair.main.url}${path}`, {
          ...{ method, dispatcher },
          body: body === undefined ? null : JSON.stringify(body),
        })
        seen[`${method} ${path}`] = { status: answer.statusCode, ...contentOf(await answer.body.text()) }
      }
      await dispatcher.close()
      return seen
    }

    beforeAll(async () => {
      pair = await startPair({ daemons: { main: incusd, backup: incusd } })
      for (const project of ['default', FENCED]) await pair.main.createInstance({ project, name: 'one' })
      const { cert: certificate, key } = await createCertificate('lesser relay')
      relay = { certificate, key }
      const der = certificate.replaceAll(/-----[^-]+-----|\s/g, '')
      const rights = { restricted: true, projects: ['default'] }
      await pair.main.run('POST', '/1.0/certificates', {
        name: 'r',
        type: 'client',
        certificate: der,
        ...rights,
      })
      before = {}
      for (const [name, client] of Object.entries(clients())) before[name] = await lookAs(client)
      const { api_extensions: extensions } = (await pair.main.run('GET', '/1.0')) as {
        api_extensions: string[]
      }
      const trusted: Trusted[] = [
        { fingerprint: fingerprintOf(clients().trusted.certificate), isMetrics: false, projects: null },
        {
          fingerprint: fingerprintOf(clients().restricted.certificate),
          isMetrics: false,
          projects: [FENCED],
        },
      ]
      const scriptlet = renderScriptlet({
        ...{
          relay: [fingerprintOf(certificate)],
          names: ['r'],
          projects: ['default'],
          role: 'source',
          extras: new Set(),
        },
        trusted: extensions.includes('authorization_scriptlet_cert') ? null : trusted,
      })
      const config: Record<string, string> = { 'authorization.scriptlet': scriptlet }
      if (extensions.includes('authorization_client_routing'))
        for (const name of ['tls', 'tls-restricted']) config[`authorization.client.${name}`] = 'scriptlet'
      await pair.main.run('PATCH', '/1.0', { config })
      return () => pair.close()
    })

    test.for(['trusted', 'restricted', 'untrusted'] as const)(
      'a %s certificate may do what it could before',
      async (name) => {
        const after = await lookAs(clients()[name])
        for (const [call, was] of Object.entries(before[name] ?? {})) {
          const is = after[call]
          // A list that was refused as a whole may come back empty: that shows nothing either.
          const isStillRefused = was.status >= 400 && (is?.status === 403 || is?.size === 0)
          if (!isStillRefused && !(name === 'restricted' && NARROWER.includes(call)))
            expect([call, is]).toEqual([call, was])
        }
      },
    )

    test('a certificate that is added later gets nothing that it would not have got without it', async () => {
      const later = await createCertificate('later')
      const certificate = later.cert.replaceAll(/-----[^-]+-----|\s/g, '')
      const rights = { restricted: true, projects: [FENCED] }
      await pair.main.run('POST', '/1.0/certificates', { name: 'l', type: 'client', certificate, ...rights })
      const seen = await lookAs({ certificate: later.cert, key: later.key })
      for (const [call, { status, size }] of Object.entries(seen))
        if (before.restricted?.[call]?.status === 403)
          expect([call, size === 0 ? 403 : status]).toEqual([call, 403])
      expect(seen[`GET /1.0/instances/one?project=${FENCED}`]?.status).toBe(version === '6.0' ? 403 : 200)
    })

    test('the relay sees its project and no other', async () => {
      const seen = await lookAs(relay)
      expect(seen['GET /1.0/instances/one?project=default']?.status).toBe(200)
      expect(seen[`GET /1.0/instances/one?project=${FENCED}`]?.status).toBe(403)
      expect(seen['GET /1.0/instances?recursion=1&all-projects=true']?.size).toBe(1)
      expect(seen['GET /1.0/warnings']?.status).toBe(403)
    })

    test('whoever stole the relay’s key gets no more by replacing its certificate', async () => {
      const { cert: certificate, key } = await createCertificate('thief')
      const dispatcher = new Agent({ connect: createPinnedConnector(relay, [pair.main.fingerprint]) })
      const replaced = await request(
        `${pair.main.url}/1.0/certificates/${fingerprintOf(relay.certificate)}`,
        {
          ...{ method: 'PATCH', dispatcher },
          body: JSON.stringify({ certificate }),
        },
      )
      await dispatcher.close()
      expect(replaced.statusCode).toBe(200)
      const seen = await lookAs({ certificate, key })
      for (const call of ['POST /1.0/instances/one/exec', 'DELETE /1.0/instances/none', 'POST /1.0/profiles'])
        expect(seen[`${call}?project=default`]?.status).toBe(403)
    })
  })
}

/** `size`: of a list. */
type Seen = Record<string, { status: number; size: number | null }>

function contentOf(text: string): { size: number | null } {
  try {
    const { metadata } = JSON.parse(text) as { metadata: unknown }
    return { size: Array.isArray(metadata) ? metadata.length : null }
  } catch {
    return { size: null }
  }
}
