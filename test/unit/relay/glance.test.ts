/** A glance: whether a remote answers, and whether it lists other instances than before. */
import { expect, test } from 'vitest'
import { createEngine } from '../../../relay/engine/engine.ts'
import type { GlanceReply } from '../../../shared/relay/protocol.ts'
import { type Answer, createFakeIncus, refusal, sync } from './fake-incus.ts'
import { createVirtualClock } from './virtual-clock.ts'

const REMOTES = {
  main: { address: 'https://main.example:8443' },
  backup: { address: 'https://backup.example:8443' },
}

const SERVER = {
  auth: 'trusted',
  api_extensions: [],
  environment: { server: 'incus', server_version: '6.0.4', certificate_fingerprint: 'f'.repeat(64) },
}

const url = (name: string, project = 'default'): string =>
  `/1.0/instances/${name}${project === 'default' ? '' : `?project=${project}`}`

async function glance(
  list: Answer,
  server: object = SERVER,
  names = ['main'],
): Promise<GlanceReply['remotes']> {
  const clock = createVirtualClock()
  const incus = createFakeIncus(clock)
  incus.answer = (_, { path }) => (path === '/1.0' ? sync(server) : list)
  const engine = createEngine({ upstream: incus, clock, remotes: REMOTES, secret: 's' })
  const { remotes } = await clock.until(engine.glance({ remotes: names }))
  expect(incus.calls.every(({ call }) => /^GET \/1\.0(\/instances\?all-projects=true)?$/.test(call))).toBe(
    true,
  )
  return remotes
}

const listed = async (...urls: string[]): Promise<string> => {
  const { main } = await glance(sync(urls))
  return main?.ok === true ? main.listed : expect.fail('it is not listed')
}

test('what it lists is the same in whatever order, and other with another name or project', async () => {
  const before = await listed(url('web'), url('db'))
  expect(await listed(url('db'), url('web'))).toBe(before)
  expect(await listed(url('web'))).not.toBe(before)
  expect(await listed(url('web'), url('db', 'two'))).not.toBe(before)
  expect(before).toMatch(/^[0-9a-f]{16}$/)
})

test.each<[string, Answer, object, string]>([
  ['an error', refusal(500, 'database is locked'), SERVER, 'incus'],
  ['no list', sync({ web: 1 }), SERVER, 'bad-reply'],
  ['that it doesn’t know the relay', sync([]), { ...SERVER, auth: 'untrusted' }, 'untrusted'],
  ['that it is something else', sync([]), { ...SERVER, environment: { server: 'lxd' } }, 'not-incus'],
  ['nothing of a server', sync([]), { auth: 'trusted' }, 'bad-reply'],
])('a remote that answers %s lists nothing, which is not an empty list', async (_, list, server, code) => {
  expect((await glance(list, server)).main).toMatchObject({ ok: false, error: { code } })
})

test('each remote answers by itself, and one that the relay doesn’t have is told', async () => {
  const seen = await glance(sync([]), SERVER, ['main', 'moon', 'main'])
  expect(Object.keys(seen)).toEqual(['main', 'moon'])
  expect(seen).toMatchObject({ main: { ok: true }, moon: { ok: false, error: { code: 'unknown-remote' } } })
})
