/** Steps of jobs, and an Incus that answers what a copy reads before it begins. */
import type { Upstream } from '../../../relay/engine/upstream.ts'
import type { CopyStep, TakeStep } from '../../../shared/relay/steps.ts'
import { type Answer, sync } from './fake-incus.ts'

export const SLOT = 'daily-20261122T0300Z'

export const take = (instance: string, more: Partial<TakeStep> = {}): TakeStep => ({
  do: 'take',
  ref: { remote: 'main', project: 'default', instance },
  snapshot: SLOT,
  stateful: false,
  expiresAt: null,
  ...more,
})

/** A first copy from main to backup. */
export const copyStep = (instance: string, more: Partial<CopyStep> = {}): CopyStep => ({
  do: 'copy',
  source: { remote: 'main', project: 'default', instance },
  target: { remote: 'backup', project: 'default', instance },
  transferMode: 'pull',
  pool: null,
  member: null,
  first: true,
  startOver: false,
  unverified: [],
  transfer: { id: `${SLOT}#0`, from: 0, names: [] },
  owner: '1.n.k',
  listed: [],
  unfinished: null,
  verified: [],
  lasting: [],
  mirrored: [],
  excludeOlder: true,
  sourceServer: '',
  inconsistent: false,
  extended: {},
  ...more,
})

export const INSTANCE = {
  name: 'web1',
  project: 'default',
  location: 'none',
  architecture: 'x86_64',
  type: 'container',
  status: 'Stopped',
  config: {},
  devices: {},
  expanded_config: {},
  expanded_devices: { root: { type: 'disk', path: '/', pool: 'default' } },
  profiles: ['default'],
}

const asReply = (answer: Answer): Awaited<ReturnType<Upstream['request']>> =>
  'error' in answer ? { ok: false, error: answer.error } : { ok: true, ...answer }

/** Each source is there, without snapshots, and no copy is yet. `back` is copied the other way. */
export const beforeCopies = (incus: Upstream): Upstream => ({
  request(remote, wanted, options) {
    const { method, path } = wanted
    if (path === '/1.0') return Promise.resolve(asReply(SERVER))
    if (path.startsWith('/1.0/storage-pools/default/volumes/container/'))
      return Promise.resolve(asReply(sync([])))
    const isInstance = method === 'GET' && /^\/1\.0\/instances\/[^/]+(\/snapshots)?\?/.test(path)
    if (!isInstance) return incus.request(remote, wanted, options)
    const isSource = (remote === 'main') !== path.includes('/back')
    if (!isSource) return Promise.resolve(asReply(NOT_FOUND))
    return Promise.resolve(asReply(sync(path.includes('/snapshots?') ? [] : INSTANCE)))
  },
})

const SERVER = sync({
  auth: 'trusted',
  environment: {
    ...{ server: 'incus', server_version: '6.0.4', certificate: 'PEM', certificate_fingerprint: 'ab12' },
  },
  api_extensions: [],
})

export const NOT_FOUND: Answer = {
  status: 404,
  body: { type: 'error', error: 'Instance not found', error_code: 404, metadata: null },
}
