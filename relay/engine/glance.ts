/** Whether a remote answers, and whether it lists other instances than before: two small calls to Incus. */
import { createHash } from 'node:crypto'
import { request } from '../../shared/incus/routes.ts'
import type { CallError, GlanceReply } from '../../shared/relay/protocol.ts'
import { err, ok, type Result } from '../../shared/result.ts'
import { badReply, call, notIncus, untrusted } from './call.ts'
import { parseServer } from './parse-server.ts'
import type { Upstream } from './upstream.ts'

/** Milliseconds for each of the calls. */
const GLANCE = 10_000

export async function glanceAt(
  upstream: Upstream,
  remote: string,
  most = GLANCE,
): Promise<GlanceReply['remotes'][string]> {
  const listed = await listedOn(upstream, remote, most)
  return listed.ok ? { ok: true, listed: listed.value } : listed
}

async function listedOn(
  upstream: Upstream,
  remote: string,
  most: number,
): Promise<Result<string, CallError>> {
  const greeting = await call(upstream, remote, request('getServer'), most)
  if (!greeting.ok) return greeting
  const server = parseServer(greeting.value.envelope.metadata)
  if (server === null) return err(badReply(remote, greeting.value.status, 'it is no server’s'))
  if (server.state === 'untrusted') return err(untrusted(remote))
  if (server.state === 'not-incus') return err(notIncus(remote, server.product))
  const list = await call(upstream, remote, request('listInstances', {}, { 'all-projects': 'true' }), most)
  if (!list.ok) return list
  const { metadata } = list.value.envelope
  if (!Array.isArray(metadata)) return err(badReply(remote, list.value.status, 'it is no list'))
  const names = metadata.map(String).sort()
  return ok(createHash('sha256').update(JSON.stringify(names)).digest('hex').slice(0, 16))
}
