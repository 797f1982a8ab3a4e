/**
 * The calls to Incus that the product makes, and nothing else. The Worker builds its requests from
 * this table, the relay refuses what isn't in it, and the embedded Incus serves it.
 */
import { bucketRoutes } from './bucket-routes.ts'
import { field, type Method, onlyKeys, type Route } from './route.ts'
import { volumeRoutes } from './volume-routes.ts'

export type { Route }

/** An instance may be protected from deletion, and never be unprotected. */
const protects = (key: string, value: unknown): boolean =>
  key === 'security.protection.delete' && value === 'true'

/** What an instance that was made from a snapshot gets back once it is whole. */
const isDeferred = (key: string): boolean => /^(boot\.autostart|snapshots)(\.|$)/.test(key)

const onlyMarks = (body: unknown): string | null => {
  const wrong = onlyKeys(body, ['config'])
  if (wrong !== null) return wrong
  const config = Object.entries(field(body, 'config') ?? {})
  const [stranger] =
    config.find(
      ([key, value]) => !key.startsWith('user.stapes.') && !protects(key, value) && !isDeferred(key),
    ) ?? []
  return stranger === undefined ? null : `config key "${stranger}" is not a mark of stapes`
}

/** Of a snapshot, under a name for exports or files, and so that nothing happens to it: it isn't started, and can be removed. */
function onlyTemporary(body: unknown): string | null {
  const [config, source] = [field(body, 'config'), field(body, 'source')]
  const isPassive = field(config, 'boot.autostart') === 'false'
  const isNamed = /^stapes-(export|files)-[0-9a-f]{24}$/.test(String(field(body, 'name')))
  const isSnapshot = /^[^/]+\/[^/]+$/.test(String(field(source, 'source')))
  return isPassive && isNamed && isSnapshot && field(config, 'user.stapes.exporting') !== undefined
    ? onlyKeys(body, ['name', 'source', 'config', 'devices'])
    : 'source.type "copy" is used by stapes only for exports, files and marked instances'
}

/** Of a local copy: for an export or files, or marked as a new instance that isn't finished. */
const onlyMarked = (body: unknown): string | null =>
  typeof field(field(body, 'config'), 'user.stapes.restoring-as') === 'string' ? null : onlyTemporary(body)

/** With time to shut down, and never by force. */
const onlyCleanStop = (body: unknown): string | null =>
  field(body, 'action') === 'stop' && field(body, 'force') === false && Number(field(body, 'timeout')) >= 30
    ? onlyKeys(body, ['action', 'timeout', 'force'])
    : 'only the actions "start", "freeze", "unfreeze", and "stop" with time to shut down are used by stapes'

const onlyBackups = (body: unknown): string | null =>
  onlyKeys(body, ['name', 'expires_at', 'instance_only', 'optimized_storage', 'compression_algorithm'])

/** A command without anybody who talks to it; which one, the relay's own guard looks at. */
const onlyRecorded = (body: unknown): string | null =>
  field(body, 'record-output') === true &&
  field(body, 'interactive') === false &&
  field(body, 'wait-for-websocket') === false
    ? onlyKeys(body, ['command', 'record-output', 'interactive', 'wait-for-websocket'])
    : 'only commands whose output is recorded are used by stapes'

export const routes = {
  getServer: { method: 'GET', path: '/1.0', query: [] },
  listProjects: { method: 'GET', path: '/1.0/projects', query: ['recursion'] },
  listInstances: { method: 'GET', path: '/1.0/instances', query: ['recursion', 'all-projects', 'project'] },
  getInstance: { method: 'GET', path: '/1.0/instances/{instance}', query: ['project'] },
  receiveInstance: {
    method: 'POST',
    path: '/1.0/instances',
    query: ['project', 'target'],
    refuse: (body) => {
      const type = field(field(body, 'source'), 'type')
      if (type === 'migration') return null
      return type === 'copy' ? onlyMarked(body) : 'only source.type "migration" is used by stapes'
    },
  },
  sendInstance: {
    method: 'POST',
    path: '/1.0/instances/{instance}',
    query: ['project'],
    refuse: (body) =>
      field(body, 'migration') === true
        ? onlyKeys(body, ['migration', 'live', 'instance_only', 'allow_inconsistent', 'target'])
        : 'only migration: true is used by stapes',
  },
  markInstance: { method: 'PATCH', path: '/1.0/instances/{instance}', query: ['project'], refuse: onlyMarks },
  deleteInstance: { method: 'DELETE', path: '/1.0/instances/{instance}', query: ['project'] },
  listSnapshots: {
    method: 'GET',
    path: '/1.0/instances/{instance}/snapshots',
    query: ['project', 'recursion'],
  },
  createSnapshot: {
    method: 'POST',
    path: '/1.0/instances/{instance}/snapshots',
    query: ['project'],
    refuse: (body) => onlyKeys(body, ['name', 'stateful', 'expires_at']),
  },
  getSnapshot: {
    method: 'GET',
    path: '/1.0/instances/{instance}/snapshots/{snapshot}',
    query: ['project'],
  },
  sendSnapshot: {
    method: 'POST',
    path: '/1.0/instances/{instance}/snapshots/{snapshot}',
    query: ['project'],
    refuse: (body) =>
      field(body, 'migration') === true
        ? onlyKeys(body, ['migration', 'live', 'name', 'target'])
        : // Anything else beside a name moves it elsewhere.
          onlyKeys(body, ['name']),
  },
  patchSnapshot: {
    method: 'PATCH',
    path: '/1.0/instances/{instance}/snapshots/{snapshot}',
    query: ['project'],
    refuse: (body) => onlyKeys(body, ['expires_at']),
  },
  deleteSnapshot: {
    method: 'DELETE',
    path: '/1.0/instances/{instance}/snapshots/{snapshot}',
    query: ['project'],
  },
  restoreInstance: {
    method: 'PUT',
    path: '/1.0/instances/{instance}',
    query: ['project'],
    refuse: (body) =>
      typeof field(body, 'restore') === 'string' && typeof field(body, 'stateful') === 'boolean'
        ? onlyKeys(body, ['restore', 'stateful', 'disk_only'])
        : 'only restore with stateful: true or false is used by stapes',
  },
  startInstance: {
    method: 'PUT',
    path: '/1.0/instances/{instance}/state',
    query: ['project'],
    refuse: (body) =>
      ['start', 'freeze', 'unfreeze'].includes(String(field(body, 'action')))
        ? onlyKeys(body, ['action'])
        : onlyCleanStop(body),
  },
  execInstance: {
    method: 'POST',
    path: '/1.0/instances/{instance}/exec',
    query: ['project'],
    refuse: onlyRecorded,
  },
  getExecOutput: {
    method: 'GET',
    path: '/1.0/instances/{instance}/logs/exec-output/{file}',
    query: ['project'],
  },
  deleteExecOutput: {
    method: 'DELETE',
    path: '/1.0/instances/{instance}/logs/exec-output/{file}',
    query: ['project'],
  },
  getInstanceState: { method: 'GET', path: '/1.0/instances/{instance}/state', query: ['project'] },
  createBackup: {
    method: 'POST',
    path: '/1.0/instances/{instance}/backups',
    query: ['project'],
    refuse: onlyBackups,
  },
  exportBackup: {
    method: 'GET',
    path: '/1.0/instances/{instance}/backups/{backup}/export',
    query: ['project'],
  },
  /** With an upgrade to SFTP: what it does there is `relay/engine/files/`. */
  openFiles: { method: 'GET', path: '/1.0/instances/{instance}/sftp', query: ['project'] },
  listProfiles: { method: 'GET', path: '/1.0/profiles', query: ['project', 'recursion'] },
  listNetworks: { method: 'GET', path: '/1.0/networks', query: ['project', 'recursion'] },
  getPool: { method: 'GET', path: '/1.0/storage-pools/{pool}', query: ['project'] },
  getPoolResources: { method: 'GET', path: '/1.0/storage-pools/{pool}/resources', query: [] },
  listVolumes: {
    method: 'GET',
    path: '/1.0/storage-pools/{pool}/volumes/{type}',
    query: ['recursion', 'all-projects', 'project'],
  },
  getVolume: {
    method: 'GET',
    path: '/1.0/storage-pools/{pool}/volumes/{type}/{volume}',
    query: ['recursion', 'project'],
  },
  listVolumeSnapshots: {
    method: 'GET',
    path: '/1.0/storage-pools/{pool}/volumes/{type}/{volume}/snapshots',
    query: ['recursion', 'project', 'target'],
  },
  ...volumeRoutes,
  ...bucketRoutes,
  listOperations: { method: 'GET', path: '/1.0/operations', query: ['recursion', 'all-projects', 'project'] },
  getOperation: { method: 'GET', path: '/1.0/operations/{operation}', query: [] },
  waitOperation: { method: 'GET', path: '/1.0/operations/{operation}/wait', query: ['timeout'] },
  cancelOperation: { method: 'DELETE', path: '/1.0/operations/{operation}', query: [] },
} as const satisfies Record<string, Route>

export type RouteName = keyof typeof routes

/** `ifMatch`: the ETag of what is changed; once that is another one, Incus answers 412. */
export type IncusRequest = { method: Method; path: string; body?: unknown; ifMatch?: string }

/** Of each route: literal parts of its path at even places, names of parameters between them. */
const templates = Object.fromEntries(
  Object.entries(routes).map(([name, { path }]) => [name, path.split(/\{(\w+)\}/)]),
) as Record<RouteName, string[]>

/** Builds the request of a route: path parameters are percent-encoded here, because Incus lists them raw. */
export function request(
  name: RouteName,
  parameters: Record<string, string> = {},
  query: Record<string, string> = {},
  body?: unknown,
): IncusRequest {
  const route: Route = routes[name]
  let path = ''
  templates[name].forEach((part, at) => {
    path += at % 2 === 0 ? part : encodeParameter(name, part, parameters[part])
  })
  let mark = '?'
  for (const key in query) {
    if (!route.query.includes(key)) throw new Error(`route ${name} has no query key ${key}`)
    path += `${mark}${encodeURIComponent(key)}=${encodeURIComponent(query[key] ?? '')}`
    mark = '&'
  }
  return body === undefined ? { method: route.method, path } : { method: route.method, path, body }
}

function encodeParameter(name: RouteName, key: string, value: string | undefined): string {
  if (value === undefined || value === '') throw new Error(`route ${name} needs the parameter ${key}`)
  return encodeURIComponent(value)
}

export type Match = { name: RouteName; parameters: Record<string, string>; query: Record<string, string> }

const patterns = Object.entries(routes).map(([name, route]) => ({
  name: name as RouteName,
  route: route as Route,
  keys: [...route.path.matchAll(/\{(\w+)\}/g)].map((found) => found[1] as string),
  pattern: new RegExp(`^${route.path.replace(/[.]/g, '\\.').replace(/\{\w+\}/g, '([^/?#]+)')}$`),
}))

/**
 * Finds the route of a method and a raw path with query, or null. Dot segments, empty segments and
 * parameters that hide a slash are no match, so that what was allowed is what Incus will see.
 */
export function matchRoute(method: string, pathAndQuery: string): Match | null {
  const [path = '', search = '', ...rest] = pathAndQuery.split('?')
  if (rest.length > 0 || pathAndQuery.includes('#')) return null
  const query = parseQuery(search)
  if (query === null) return null
  for (const { name, route, keys, pattern } of patterns) {
    const found = route.method === method ? pattern.exec(path) : null
    if (found === null) continue
    const values = found.slice(1).map(decodeSegment)
    if (values.some((value) => value === null)) continue
    if (!Object.keys(query).every((key) => route.query.includes(key))) continue
    return { name, query, parameters: Object.fromEntries(keys.map((key, at) => [key, values[at] as string])) }
  }
  return null
}

function decodeSegment(raw: string): string | null {
  try {
    const value = decodeURIComponent(raw)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
    return value === '.' || value === '..' || /[/\\\u0000-\u001f]/.test(value) ? null : value
  } catch {
    return null
  }
}

function parseQuery(search: string): Record<string, string> | null {
  // Without a prototype, `__proto__` is a key like others, and refused like them.
  const query: Record<string, string> = Object.create(null)
  for (const pair of search === '' ? [] : search.split('&')) {
    const at = pair.indexOf('=')
    try {
      const key = decodeURIComponent(at < 0 ? pair : pair.slice(0, at))
      if (key === '' || Object.hasOwn(query, key)) return null
      query[key] = at < 0 ? '' : decodeURIComponent(pair.slice(at + 1))
    } catch {
      return null
    }
  }
  return query
}
