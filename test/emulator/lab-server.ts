/** Calls that only tests make, to set a scene: projects, profiles, pools, certificates. */
import { createHash } from 'node:crypto'
import { config, devices, record, strings, text } from './body.ts'
import { Refusal, type Reply, sync } from './envelope.ts'
import type { Call, EmbeddedIncus } from './server.ts'
import { findPool, findProject, newProject, type Pool, type Profile, profilesOf } from './state.ts'

const created = (): Reply => ({ ...sync(), status: 201 })

const FEATURES = [
  'features.images',
  'features.profiles',
  'features.storage.volumes',
  'features.storage.buckets',
]

export function createProject(server: EmbeddedIncus, call: Call): Reply {
  const body = record(call.body)
  const name = text(body, 'name')
  if (server.state.projects.has(name)) throw new Refusal(409, `Project "${name}" already exists`)
  const features = Object.fromEntries(FEATURES.map((key) => [key, 'true']))
  server.state.projects.set(
    name,
    newProject(name, { ...features, ...config(body) }, text(body, 'description')),
  )
  return created()
}

export function patchProject(server: EmbeddedIncus, call: Call): Reply {
  const project = findProject(server.state, call.parameters.project ?? '')
  Object.assign(project.config, config(record(call.body)))
  return sync()
}

export function deleteProject(server: EmbeddedIncus, call: Call): Reply {
  const project = findProject(server.state, call.parameters.project ?? '')
  const { size } = project.instances
  if (size > 0 && call.query.force !== 'true') throw new Refusal(400, 'Only empty projects can be removed')
  server.state.projects.delete(project.name)
  return sync()
}

export function createProfile(server: EmbeddedIncus, call: Call): Reply {
  const body = record(call.body)
  const name = text(body, 'name')
  const profiles = profilesOf(server.state, call.project)
  if (profiles.has(name)) throw new Refusal(409, 'The profile already exists')
  profiles.set(name, profileOf(name, body))
  server.scheduler.configChanged()
  return created()
}

export function listProfiles(server: EmbeddedIncus, call: Call): Reply {
  const profiles = [...profilesOf(server.state, call.project).values()]
  if (call.query.recursion !== '1') throw new Refusal(501, 'the embedded Incus lists profiles in full only')
  return sync(profiles.map((profile) => ({ ...profile, used_by: [] })))
}

const profileOf = (name: string, body: Record<string, unknown>): Profile => ({
  name,
  description: text(body, 'description'),
  config: config(body),
  devices: devices(body),
})

export function putProfile(server: EmbeddedIncus, call: Call): Reply {
  const profiles = profilesOf(server.state, call.project)
  const name = call.parameters.profile ?? ''
  if (!profiles.has(name)) throw new Refusal(404, 'Profile not found')
  profiles.set(name, profileOf(name, record(call.body)))
  server.scheduler.configChanged()
  return sync()
}

export function getProfile(server: EmbeddedIncus, call: Call): Reply {
  const profile = profilesOf(server.state, call.project).get(call.parameters.profile ?? '')
  if (profile === undefined) throw new Refusal(404, 'Profile not found')
  return sync({ ...profile, used_by: [] })
}

export function listPools(server: EmbeddedIncus, call: Call): Reply {
  const pools = [...server.state.pools.values()]
  return sync(
    call.query.recursion === '1'
      ? pools.map(viewPool)
      : pools.map(({ name }) => `/1.0/storage-pools/${name}`),
  )
}

/** Its config is for the unrestricted alone. */
export function getPool(server: EmbeddedIncus, call: Call): Reply {
  const view = viewPool(findPool(server.state, call.parameters.pool ?? ''))
  return sync(call.access.projects === null ? view : { ...view, config: null })
}

export function getPoolResources(server: EmbeddedIncus, call: Call): Reply {
  const { full } = findPool(server.state, call.parameters.pool ?? '')
  const total = 1e12
  return sync({ space: { used: full ? total : 1e9, total }, inodes: { used: 0, total: 0 } })
}

export const listNetworks = (_server: EmbeddedIncus, _call: Call): Reply =>
  sync([{ name: 'incusbr0', type: 'bridge', managed: true, config: {}, description: '' }])

const viewPool = ({ name, driver, config }: Pool): Record<string, unknown> => ({
  ...{ name, driver, description: '', status: 'Created', locations: ['none'], config, used_by: [] },
})

/** An admin hands in the certificate itself: base64 of its DER. */
export function trustCertificate(server: EmbeddedIncus, call: Call): Reply {
  const body = record(call.body)
  const der = Buffer.from(text(body, 'certificate'), 'base64')
  const fingerprint = createHash('sha256').update(der).digest('hex')
  if (server.trusted.has(fingerprint)) throw new Refusal(409, 'Client certificate already in trust store')
  server.trusted.set(fingerprint, {
    fingerprint,
    name: text(body, 'name'),
    certificate: text(body, 'certificate'),
    projects: body.restricted === true ? new Set(strings(body, 'projects') ?? []) : null,
  })
  return created()
}

export const listCertificates = (server: EmbeddedIncus): Reply =>
  sync([...server.trusted.keys()].map((fingerprint) => `/1.0/certificates/${fingerprint}`))
