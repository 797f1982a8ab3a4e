/** `GET /1.0` and the projects. */
import { mayUse } from './auth.ts'
import { type Reply, sync } from './envelope.ts'
import type { Call, EmbeddedIncus } from './server.ts'

/** Those of 6.0.4, and of every later one, that somebody could gate on. */
const EXTENSIONS = [
  'projects',
  'snapshot_expiry',
  'snapshot_expiry_creation',
  'instances',
  'container_incremental_copy',
  'custom_volume_refresh',
  'custom_volume_refresh_exclude_older_snapshots',
  'instance_allow_inconsistent_copy',
  'instance_pool_move',
  'instance_project_move',
  'instance_move_config',
  'operations_get_query_all_projects',
  'auth_tls_jwt',
  'storage_volumes_all_projects',
  'project_access',
  'api_filtering_extended',
  'projects_force_delete',
  'certificate_token',
]

/** 200 for strangers too: only `auth` tells whether one is trusted. */
export function getServer(server: EmbeddedIncus, call: Call): Reply {
  const { access } = call
  const extensions = [...EXTENSIONS, ...server.face.extensions]
  const common = {
    api_extensions: access.trusted || !server.face.keepsToItself ? extensions : null,
    api_status: 'stable',
    api_version: '1.0',
    auth: access.trusted ? 'trusted' : 'untrusted',
    public: false,
    auth_methods: ['tls'],
  }
  if (!access.trusted) return sync({ ...common, config: {} })
  return sync({
    ...common,
    auth_user_name: access.user,
    auth_user_method: access.method,
    config: access.projects === null ? configOf(server) : {},
    environment: environment(server, call.project),
  })
}

const configOf = ({ address, bucketsAddress }: EmbeddedIncus): Record<string, string> => ({
  'core.https_address': address,
  ...(bucketsAddress === '' ? {} : { 'core.storage_buckets_address': bucketsAddress }),
})

function environment(server: EmbeddedIncus, project: string): Record<string, unknown> {
  const { certificate, name, driver } = server.options
  return {
    addresses: [server.address],
    architectures: ['x86_64', 'i686'],
    certificate: certificate.pem,
    certificate_fingerprint: certificate.fingerprint,
    driver: 'lxc',
    driver_version: '5.0.2',
    firewall: 'nftables',
    kernel: 'Linux',
    kernel_architecture: 'x86_64',
    os_name: 'Debian GNU/Linux',
    os_version: '12',
    project,
    server: 'incus',
    server_clustered: server.clustered,
    server_event_mode: 'full-mesh',
    server_name: name,
    server_pid: 1,
    server_version: server.face.version,
    storage: driver,
    storage_version: '1',
    storage_supported_drivers: [
      { Name: 'btrfs', Version: '6.2', Remote: false },
      { Name: 'dir', Version: '1', Remote: false },
    ],
  }
}

/** Filtered to what the caller may see. */
export function listProjects(server: EmbeddedIncus, call: Call): Reply {
  const seen = [...server.state.projects.values()].filter(({ name }) => mayUse(call.access, name))
  if (call.query.recursion === undefined || call.query.recursion === '0')
    return sync(seen.map(({ name }) => `/1.0/projects/${encodeURIComponent(name)}`))
  return sync(
    seen.map(({ name, description, config, instances }) => ({
      name,
      description,
      config: { ...config },
      used_by: [...instances.keys()].map((each) => `/1.0/instances/${each}`),
    })),
  )
}
