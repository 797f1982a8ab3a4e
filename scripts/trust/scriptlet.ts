/**
 * The authorization scriptlet of a server: the relay's certificate may do what backups need, and everybody else
 * what they could before. Incus asks it instead of its own rule for restricted certificates, so that rule is in it.
 */

export type Role = 'source' | 'target' | 'both'

/** What a source may be allowed besides its snapshots. */
export const EXTRAS = [
  'copies',
  'holds',
  'restore',
  'clones',
  'thaw',
  'exports',
  'volumes',
  'buckets',
  'files',
  'hooks',
] as const
export type Extra = (typeof EXTRAS)[number]

/** A certificate that the server trusts; `projects` is null where it is not restricted. */
export type Trusted = { fingerprint: string; isMetrics: boolean; projects: string[] | null }

type ScriptletOptions = {
  /** Fingerprints of the relay's certificates: two while it is renewed. */
  relay: readonly string[]
  /** The names under which the server has these. */
  names: readonly string[]
  projects: readonly string[]
  role: Role
  extras: ReadonlySet<Extra>
  /** Null: the server tells the scriptlet itself which certificate asks. */
  trusted: readonly Trusted[] | null
}

/** What the rights cost, as comments of the scriptlet. */
function pricesOf(role: Role, extras: ReadonlySet<Extra>): string[] {
  const editors = EDITORS.filter((extra) => extras.has(extra)).join(', ')
  const starters = STARTERS.filter((extra) => extras.has(extra)).join(', ')
  return [
    SNAPSHOT_PRICE,
    ...(role === 'source' ? [] : [TARGET_PRICE]),
    ...(editors === '' ? [] : [`${editors}: ${EDIT_PRICE}`]),
    ...(starters === '' ? [] : [`${starters}: ${STATE_PRICE}`]),
    ...(extras.has('exports') ? [EXPORT_PRICE] : []),
    ...(extras.has('files') ? [FILE_PRICE] : []),
    ...(extras.has('hooks') ? [HOOK_PRICE] : []),
    ...(extras.has('files') && extras.has('volumes') ? [VOLUME_FILE_PRICE] : []),
    ...(extras.has('volumes') ? [VOLUME_PRICE] : []),
    ...(mayEditVolumes(role, extras) ? [VOLUME_EDIT_PRICE] : []),
    ...(extras.has('buckets') ? [BUCKET_PRICE] : []),
    ...(role === 'source' && extras.has('clones') ? [`clones: ${CREATE_PRICE}`] : []),
  ]
}

const VOLUME_EDITORS = ['copies', 'holds', 'restore', 'clones'] as const
const EDITORS = [...VOLUME_EDITORS, 'hooks'] as const
const STARTERS = ['restore', 'clones', 'thaw', 'hooks'] as const

const EDIT_PRICE =
  'Incus asks can_edit for it, and knows no lesser right. Whoever has the key of this certificate can change the config and devices of these instances, rename and delete them. In a project with restricted=true they still get nothing of the host'
const STATE_PRICE =
  'starting and thawing need can_update_state. Whoever has the key of this certificate can stop these instances'
const EXPORT_PRICE =
  'exports need can_create_instances, can_edit and can_manage_backups: one is made of an instance of its own, which is deleted afterwards. Whoever has the key of this certificate can read, create and start, change and delete any instance in these projects. With restricted=true on them, no such instance gets anything of the host'
const TARGET_PRICE =
  'receiving copies needs can_create_instances and can_edit. Whoever has the key of this certificate can create and start, change and delete any instance in these projects, so let them hold nothing but copies. With restricted=true on them, no such instance gets anything of the host'
const CREATE_PRICE =
  'new instances need can_create_instances. Whoever has the key of this certificate can create instances in these projects, and have them started at once. With restricted=true on them, none gets anything of the host'
const SNAPSHOT_PRICE =
  'taking snapshots needs can_manage_snapshots. Whoever has the key of this certificate can also delete them, and read what they hold by having them sent elsewhere'

const FILE_PRICE =
  'reading files of snapshots, and restoring them, needs can_create_instances, can_edit and can_connect_sftp: they are read from an instance of its own, which is deleted afterwards. Whoever has the key of this certificate can read and write every file of every instance in these projects, and create and start, change and delete any instance there. With restricted=true on them, no such instance gets anything of the host'

const HOOK_PRICE =
  'hooks need can_exec, and can_edit and can_update_state, because an instance is marked before and may stand still instead. Whoever has the key of this certificate can run every command in every instance of these projects, whatever relay.jsonc says; change the config and devices of these instances, stop, rename and delete them. In a project with restricted=true they still get nothing of the host'

const VOLUME_FILE_PRICE =
  'files of custom volumes need can_create_storage_volumes, and can_edit and can_connect_sftp of them. Whoever has the key of this certificate can read and write every file of every custom volume in these projects'
const VOLUME_PRICE =
  'snapshots of custom volumes need can_manage_snapshots of them. Whoever has the key of this certificate can delete these snapshots'
const VOLUME_EDIT_PRICE =
  'holds on custom volumes, their copies, exports, files and restores need can_edit of them. Whoever has the key of this certificate can change their config, restore them to older snapshots, rename and delete them'
const BUCKET_PRICE =
  'exports of buckets need can_view, can_edit and can_manage_backups of them: whoever sees a bucket sees its keys. Whoever has the key of this certificate can read, change and delete every bucket in these projects'

const mayEditVolumes = (role: Role, extras: ReadonlySet<Extra>): boolean =>
  extras.has('volumes') &&
  (role !== 'source' || makesTemporary(extras) || VOLUME_EDITORS.some((extra) => extras.has(extra)))

/** Instances and volumes that only live for a while. */
const makesTemporary = (extras: ReadonlySet<Extra>): boolean => extras.has('exports') || extras.has('files')

/** Whether an instance's config may be edited by it. */
export const mayEdit = (role: Role, extras: ReadonlySet<Extra>): boolean =>
  role !== 'source' || makesTemporary(extras) || EDITORS.some((extra) => extras.has(extra))

/** Copies that arrive on a target, and instances that are made from snapshots, for good, for an export or to read files. */
const mayCreate = (role: Role, extras: ReadonlySet<Extra>): boolean =>
  role !== 'source' || extras.has('clones') || makesTemporary(extras)

const mayUpdateState = (extras: ReadonlySet<Extra>): boolean => STARTERS.some((extra) => extras.has(extra))

export function renderScriptlet(options: ScriptletOptions): string {
  const { relay, names, projects, role, extras, trusted } = options
  const instance = [
    ...['can_view', 'can_manage_snapshots'],
    ...(mayEdit(role, extras) ? ['can_edit'] : []),
    ...(mayUpdateState(extras) ? ['can_update_state'] : []),
    ...(extras.has('exports') ? ['can_manage_backups'] : []),
    ...(extras.has('files') ? ['can_connect_sftp'] : []),
    ...(extras.has('hooks') ? ['can_exec'] : []),
  ]
  const volume = [
    'can_view',
    ...(extras.has('volumes') ? ['can_manage_snapshots'] : []),
    ...(mayEditVolumes(role, extras) ? ['can_edit'] : []),
    ...(extras.has('volumes') && extras.has('exports') ? ['can_manage_backups'] : []),
    ...(extras.has('volumes') && extras.has('files') ? ['can_connect_sftp'] : []),
  ]
  const bucket = extras.has('buckets') ? ['can_view', 'can_edit', 'can_manage_backups'] : []
  const project = [
    ...['can_view', 'can_view_operations'],
    ...(mayCreate(role, extras) ? ['can_create_instances'] : []),
    ...(extras.has('volumes') && (role !== 'source' || extras.has('clones') || makesTemporary(extras))
      ? ['can_create_storage_volumes']
      : []),
    ...(extras.has('buckets') && (role !== 'source' || extras.has('clones'))
      ? ['can_create_storage_buckets']
      : []),
  ]
  return [
    `# What the relay of stapes may do on this server. Everything else is refused to its certificate:${extras.has('hooks') ? '' : ' exec,'}`,
    `# ${extras.has('files') ? '' : 'files, '}console, ${extras.has('exports') ? '' : 'exports, '}profiles, images, networks, other projects.`,
    ...pricesOf(role, extras).map((price) => `# - ${price}.`),
    `RELAY = ${literal(relay)}`,
    ...(trusted === null ? [`NAMES = ${literal(names)}`] : []),
    `PROJECTS = ${literal(projects)}`,
    'ALLOWED = {',
    `    "project": ${literal(project)},`,
    `    "instance": ${literal(instance)},`,
    '    "profile": ["can_view"],',
    `    "storage_volume": ${literal(volume)},`,
    ...(bucket.length === 0 ? [] : [`    "storage_bucket": ${literal(bucket)},`]),
    '}',
    ...(trusted === null ? [] : renderTrusted(trusted)),
    '',
    AUTHORIZE,
    trusted === null ? BY_CERTIFICATE : BY_LIST,
    RULES,
  ].join('\n')
}

/** JSON's strings and lists are Starlark's. */
const literal = (value: unknown): string => JSON.stringify(value).replaceAll(',"', ', "')

const renderTrusted = (trusted: readonly Trusted[]): string[] => [
  '# Who was trusted when this was made; None: for everything. A certificate that is added later may do nothing until',
  '# it is in here. The unix socket on the server is never asked.',
  'TRUSTED = {',
  ...trusted.map(
    ({ fingerprint, isMetrics, projects }) =>
      `    ${literal(fingerprint)}: (${literal(isMetrics ? 'metrics' : 'client')}, ${projects === null ? 'None' : literal(projects)}),`,
  ),
  '}',
]

const AUTHORIZE = `def authorize(details, object, entitlement):
    kind, _, name = object.partition(":")
    project = name.split("/")[0].replace("%2F", "/")
    if details.Protocol == "tls" and details.Username in RELAY:
        return relay(kind, project, entitlement)
    # OpenID Connect: without a scriptlet, Incus lets these do everything.
    if details.Protocol != "tls":
        return True
    return others(details, kind, project, entitlement)

def relay(kind, project, entitlement):
    # How full pools are.
    if kind == "server" and entitlement == "can_view_resources":
        return True
    if kind in ["server", "storage_pool", "certificate"]:
        return entitlement == "can_view"
    # Of projects that have no profiles of their own.
    if kind == "profile" and project == "default":
        return entitlement == "can_view"
    return project in PROJECTS and entitlement in ALLOWED.get(kind, [])
`

/**
 * Incus lets each client replace its own certificate, and so its fingerprint, but not its name: else whoever stole
 * the relay's key would be somebody else to the scriptlet.
 */
const BY_CERTIFICATE = `def others(details, kind, project, entitlement):
    certificate = details.Certificate
    # A client can replace its own certificate, but not the name that it has here.
    if certificate.name in NAMES:
        return relay(kind, project, entitlement)
    projects = (certificate.projects or []) if certificate.restricted else None
    return as_before(details, certificate.type, projects, kind, project, entitlement)
`

const BY_LIST = `def others(details, kind, project, entitlement):
    if details.Username not in TRUSTED:
        return False
    type, projects = TRUSTED[details.Username]
    return as_before(details, type, projects, kind, project, entitlement)
`

/** Incus's own rule (its driver "tls"); where its two checks differ, the stricter one. */
const RULES = `# Incus's own rule for certificates.
def as_before(details, type, projects, kind, project, entitlement):
    if type == "metrics":
        return entitlement == "can_view_metrics" and (projects == None or kind == "server" or project in projects)
    if type != "client":
        return False
    if projects == None:
        return True
    within = details.IsAllProjectsRequest or details.ProjectName in projects
    if kind == "server":
        return entitlement in ["can_view", "can_view_resources"] or (entitlement == "can_view_metrics" and within)
    if kind in ["storage_pool", "certificate"]:
        return entitlement == "can_view"
    shared = kind in ["image", "profile", "storage_volume", "storage_bucket", "network", "network_zone"]
    own = shared or kind in ["project", "instance", "image_alias", "network_acl", "network_address_set"]
    if not own or (kind == "project" and entitlement == "can_edit"):
        return False
    if project in projects:
        return True
    return shared and project == "default" and entitlement == "can_view" and within
`
