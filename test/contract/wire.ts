/** The envelope, TLS, ETags, and what an unknown path says. */

import { connect } from 'node:tls'
import { describe, expect, test } from 'vitest'
import { readInstance, snapshotNames, startSnapshot, succeed } from './calls.ts'
import type { World } from './incus.ts'
import type { ContractServer } from './server.ts'

const KEYS = ['error', 'error_code', 'metadata', 'operation', 'status', 'status_code', 'type']

export function wireContract(world: World): void {
  describe('on the wire', () => {
    test('every reply has all keys of the envelope', async () => {
      const it = await world.createInstance('wire')
      const sync = await world.main.ask('getInstance', { parameters: { instance: it.name } })
      const async = await startSnapshot(world.main, it, 's1')
      const error = await world.main.ask('getInstance', { parameters: { instance: 'nobody' } })
      for (const { envelope } of [sync, async, error]) expect(Object.keys(envelope).sort()).toEqual(KEYS)
      expect([sync.status, async.status, error.status]).toEqual([200, 202, 404])
      expect(sync.envelope).toMatchObject({ type: 'sync', status: 'Success', status_code: 200 })
      expect(async.envelope).toMatchObject({ type: 'async', status: 'Operation created', status_code: 100 })
      expect(error.envelope).toMatchObject({ type: 'error', status: '', status_code: 0, error_code: 404 })
      expect(error.envelope.metadata).toBeNull()
      await succeed(world.main, async)
    })

    test('a 202 names its operation in the body and in Location', async () => {
      const it = await world.createInstance('wire')
      const { headers, envelope } = await startSnapshot(world.main, it, 's1')
      expect(envelope.operation).toMatch(/^\/1\.0\/operations\/[0-9a-f-]{36}$/)
      expect(headers.location).toBe(envelope.operation)
      expect(envelope.metadata).toMatchObject({
        class: 'task',
        description: 'Snapshotting instance',
        resources: {
          instances: [`/1.0/instances/${it.name}`],
          instances_snapshots: [`/1.0/instances/${it.name}/snapshots/s1`],
        },
        may_cancel: false,
        err: '',
      })
    })

    test('speaks TLS 1.3 only', async () => {
      const { main } = world
      expect(await handshake(main.server, 'TLSv1.3')).toBe('TLSv1.3')
      expect(await handshake(main.server, 'TLSv1.2')).toMatch(/protocol version/)
    })

    test('unknown JSON fields are ignored', async () => {
      const it = await world.createInstance('wire')
      await succeed(world.main, await startSnapshot(world.main, it, 's1', { nonsense: { deep: true } }))
      expect(await snapshotNames(world.main, it)).toEqual(['s1'])
    })

    test('a change may insist on what was read, by its ETag', async () => {
      const it = await world.createInstance('wire')
      const parameters = { instance: it.name }
      const { headers } = await world.main.ask('getInstance', { parameters })
      expect(headers.etag).toMatch(/^"[0-9a-f]{64}"$/)
      const mark = (value: string) =>
        world.main.ask('markInstance', {
          ...{ parameters, headers: { 'if-match': String(headers.etag) } },
          body: { config: { 'user.stapes.x': value } },
        })
      expect((await mark('first')).status).toBe(200)
      const stale = await mark('second')
      expect(stale.status).toBe(412)
      expect(stale.envelope.error).toMatch(/^ETag doesn't match: [0-9a-f]{64} vs [0-9a-f]{64}$/)
      expect((await readInstance(world.main, it)).config['user.stapes.x']).toBe('first')
    })

    test.for<[string, string, string, string | null, number, string | RegExp]>([
      ['an unknown path', 'GET', '/1.0/nothing', null, 404, 'not found'],
      ["a method that a path hasn't", 'DELETE', '/1.0/instances', null, 501, 'not implemented'],
      ["a body that isn't JSON", 'POST', '/1.0/instances', '{nope', 400, /^invalid character/],
    ])('refuses %s', async ([, method, path, body, status, error]) => {
      const reply = await world.main.raw(method, path, body)
      expect(reply.status).toBe(status)
      expect(reply.envelope).toMatchObject({ type: 'error', error_code: status })
      expect(reply.envelope.error).toMatch(error)
    })

    test('HEAD is not implemented', async () => {
      expect((await world.main.raw('HEAD', '/1.0/instances')).status).toBe(501)
    })
  })
}

/** The protocol agreed on, or the text of the failure. */
function handshake({ url, certificate }: ContractServer, version: 'TLSv1.2' | 'TLSv1.3'): Promise<string> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve) => {
    const options = { host: hostname, port: Number(port), ca: certificate }
    const socket = connect({ ...options, minVersion: version, maxVersion: version }, () => {
      resolve(socket.getProtocol() ?? 'none')
      socket.destroy()
    })
    socket.on('error', (error) => resolve(error.message))
  })
}
