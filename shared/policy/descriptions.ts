/**
 * What each key of `stapes.jsonc` means, as editors show it. Not for the Worker, which only checks: it
 * would carry these words and never say them.
 */
import { GROUP, ID_PATTERN } from '../access/principal.ts'
import { POLICY_NAME } from '../incus/snapshot-name.ts'
import { accessSchema, grantSchema, id, principal, roleText } from './access-schema.ts'
import { DEFAULTS, NEVER } from './defaults.ts'
import { describe } from './describe.ts'
import { copySchema, documentSchema, keepSchema, selectSchema, settingsSchema } from './schema.ts'

describe(selectSchema.shape, {
  remotes: { description: 'Remotes, by the names that the relay knows.' },
  projects: {
    description: 'Projects, as names or globs (`*` any characters, `?` one); `["*"]` means all.',
    default: DEFAULTS.select.projects,
  },
  instances: { description: 'Instances, as names or globs.', default: DEFAULTS.select.instances },
  types: { description: 'Types of instances.', default: DEFAULTS.select.types },
  running: {
    description: 'true: only instances that run or are frozen.',
    default: DEFAULTS.select.running,
  },
  config: {
    description:
      'Keys that an instance or one of its profiles must carry. Values are globs; `"*"` means that the key is there.',
    default: DEFAULTS.select.config,
    examples: [{ 'user.tier': 'gold' }],
  },
  exclude: {
    description: 'What is left out: globs over `instance`, `project/instance` or `remote/project/instance`.',
    default: DEFAULTS.select.exclude,
    examples: [['main/default/tmp-*']],
  },
})

const count = (what: string) => ({ description: `${what} -1 keeps all of them, 0 is no rule.` })

const span = (what: string) => ({
  description: `${what} that is younger than this span, counted back from the newest one.`,
  examples: ['2y5m7d3h', '14d'],
})

describe(keepSchema.shape, {
  last: count('The newest ones, so many.'),
  hourly: count('The newest of each hour, so many hours.'),
  daily: count('The newest of each day, so many days.'),
  weekly: count('The newest of each ISO week, so many weeks.'),
  monthly: count('The newest of each month, so many months.'),
  yearly: count('The newest of each year, so many years.'),
  within: span('Everything'),
  withinHourly: span('The newest of each hour'),
  withinDaily: span('The newest of each day'),
  withinWeekly: span('The newest of each ISO week'),
  withinMonthly: span('The newest of each month'),
  withinYearly: span('The newest of each year'),
})

const keep = (what: string) => ({
  description: `${what} A snapshot stays if any rule keeps it, periods without one don't count, and without a rule everything stays.`,
  examples: [{ hourly: 24, daily: 7, weekly: 4 }],
})

const expiry = (what: string) => ({
  description: `${what} In Incus's form: S, M (minutes), H, d, w, m (months), y; or \`${NEVER}\`.`,
  default: NEVER,
  examples: ['30d', '1w 3d'],
})

describe(copySchema.shape, {
  remote: { description: 'The remote that holds the copy.' },
  project: {
    description: 'The project that the copy is put into; without it, one of the same name as the source has.',
  },
  pool: { description: "The copy's storage pool; without it, that of the target's default profile." },
  target: {
    description:
      'Where the remote is a cluster: the member that a first copy is put onto, or `@` and a group of members; without it, Incus chooses. Later copies follow the first wherever it is then.',
    examples: ['n2', '@backups'],
  },
  transferMode: {
    description: '`pull`: the target dials the source. `push`: the source dials the target.',
    default: DEFAULTS.copy.transferMode,
  },
  allow: {
    description:
      "Where Incus freezes a running instance for the whole copy (dir, LVM, Ceph; virtual machines nearly everywhere). `inconsistent`: it runs on, and the copy's own head may be torn; its snapshots, which alone are backups, never are. `freeze`: it stands still, and the head is whole too.",
    default: DEFAULTS.copy.allow,
  },
  keep: keep(
    'How long snapshots stay on the copy. What the source no longer has, the next refresh removes there too.',
  ),
  expiry: expiry(
    'When Incus removes a snapshot from the copy, counted from when the copy no longer needs it. The newest verified one, and what `keep` wants, stays however long the source is gone.',
  ),
})

describe(settingsSchema.shape, {
  remotes: {
    description: 'Remotes, by the names that the relay knows. Short for `"select": { "remotes": … }`.',
    examples: [['main']],
  },
  select: { description: 'Which instances are covered; every condition must hold.' },
  schedule: {
    description: 'When: cron expressions of five fields, or an alias, in `timezone`.',
    examples: ['@hourly', ['0 3 * * *', '0 15 * * 6']],
  },
  timezone: {
    description: 'IANA time zone: of the schedule, and of the days and weeks in `keep`.',
    default: DEFAULTS.timezone,
    examples: ['Europe/Berlin'],
  },
  jitter: {
    description: 'Each instance is served with a delay below this; its own, and always the same.',
    default: DEFAULTS.jitter,
    examples: ['10m'],
  },
  catchup: {
    description: 'How late a slot may still be served, after an outage. One that is older is missed.',
    default: DEFAULTS.catchup,
    examples: ['6h'],
  },
  paused: {
    description: 'true: this policy takes, expires and copies nothing.',
    default: DEFAULTS.paused,
  },
  stateful: {
    description:
      'true: with the memory of what runs. Virtual machines need migration.stateful=true, and size.state on the root disk above limits.memory; containers CRIU.',
    default: DEFAULTS.stateful,
  },
  keep: keep('How long snapshots stay on the source.'),
  expiry: expiry(
    'When Incus itself removes a snapshot, whatever `keep` says and whether or not stapes runs.',
  ),
  copy: {
    description: 'Where a copy of each covered instance goes; false for none.',
    default: false,
    examples: [{ remote: 'backup', expiry: '90d' }],
  },
  approval: {
    description:
      'Who confirms something destructive on an instance of this policy. `self`: the one who asked. `second`: another person.',
    default: DEFAULTS.approval,
  },
})

describe(documentSchema.shape, {
  $schema: { description: 'Where an editor finds the schema of this file.' },
  defaults: {
    description:
      'What a policy takes where it says nothing itself. `select` and `copy` are merged key by key, everything else as a whole.',
  },
  policies: {
    description: "The policies by name: lower-case, and the beginning of their snapshots' names.",
    propertyNames: { pattern: POLICY_NAME.source },
  },
  access: {
    description:
      'Who may do what in chat. Whoever no grant names may do nothing but ask who they are (`/backup whoami`).',
  },
})

describe(
  { id, principal },
  {
    id: { description: 'As `/backup whoami` tells it.', pattern: ID_PATTERN },
    principal: {
      description: 'As `/backup whoami` tells it, or a group.',
      pattern: `^${GROUP}.|${ID_PATTERN}`,
    },
  },
)

describe(grantSchema.shape, {
  who: {
    description: 'To whom: ids of people, of Discord roles, or `group:<name>` for all of a group.',
    examples: [['group:ops'], ['slack:T024BE7LD/U024BE7LH']],
  },
  role: { description: `A role and those before it: ${roleText.join(', ').replaceAll('"', '`')}.` },
  commands: {
    description: 'Only these commands, of those that the role may use; without it, all of them.',
    examples: [['status', 'history', 'now']],
  },
  instances: {
    description:
      'Only these instances: globs over `instance`, `project/instance` or `remote/project/instance`. Without it everything, policies included.',
    examples: [['web*', 'main/shop/*']],
  },
})

describe(accessSchema.shape, {
  groups: { description: 'Names for several ids at once, which `who` calls `group:<name>`.' },
  grants: { description: 'Who may do what. Several grants to one person add up.' },
})
