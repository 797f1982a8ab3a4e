/**
 * The shape of `stapes.jsonc`, strict everywhere, and what each key means. Checks over
 * several values (a missing remote, a copy onto itself) are in checks.ts.
 */
import * as z from 'zod/mini'
import { POLICY_NAME } from '../incus/snapshot-name.ts'
import { holdsSecrets, LONGEST_KEY } from '../incus/user-keys.ts'
import { own } from '../own.ts'
import { accessKeysAt, accessSchema } from './access-schema.ts'
import { copySchema } from './copy-schema.ts'
import { DEFAULT_BRAKE, DEFAULTS, NEVER } from './defaults.ts'
import { mayExpire } from './expiry-schema.ts'
import { exportSchema } from './export-schema.ts'
import * as field from './fields.ts'
import { keepSchema, mayKeep } from './keep-schema.ts'
import { notifyKeysAt, notifySchema } from './notify-schema.ts'
import { pingSchema } from './ping-schema.ts'
import { togetherSchema } from './together-schema.ts'

const { described, list, may, object } = field

const remotes = list(field.remote, 'a list of at least one remote, such as ["main"]')

const selectSchema = object(
  {
    remotes: may(remotes, 'Remotes, by the names that they have in relay.jsonc.'),
    projects: may(
      list(field.projectGlob, 'a list of project names or globs, such as ["default"]'),
      'Projects, as names or globs (`*` any characters, `?` one); `["*"]` means all.',
      { default: DEFAULTS.select.projects },
    ),
    instances: may(
      z.array(field.instanceGlob, { error: 'a list of instance names or globs, such as ["web*"]' }),
      'Instances, as names or globs. May be empty beside `volumes` or `buckets`.',
      { default: DEFAULTS.select.instances },
    ),
    types: may(
      list(
        z.enum(['container', 'virtual-machine'], { error: '"container" or "virtual-machine"' }),
        'a list of "container", "virtual-machine" or both',
      ),
      'Types of instances.',
      { default: DEFAULTS.select.types },
    ),
    volumes: may(
      z.array(field.volumeGlob, { error: 'a list, such as ["attached"] or ["default:db-*"]' }),
      'Custom volumes: `"attached"` for those of the instances that the policy covers, and globs over `pool:name` in its projects. They get snapshots, and copies where the policy has `copy`.',
      { default: DEFAULTS.select.volumes, examples: [['attached'], ['default:db-*']] },
    ),
    buckets: may(
      z.array(field.bucketGlob, { error: 'a list, such as ["default::pictures"] or ["*"]' }),
      'Buckets: globs over `pool::name`, in its projects. They have no snapshots, so of all that a policy does they only get its `export`.',
      { default: DEFAULTS.select.buckets, examples: [['default::*']] },
    ),
    running: may(field.flag, 'true: only instances that are running or frozen.', {
      default: DEFAULTS.select.running,
    }),
    config: may(
      z.record(
        z.string().check(
          z.regex(/^user\..+$/, { error: 'a key that begins with "user."' }),
          z.maxLength(LONGEST_KEY, { error: `a key of at most ${LONGEST_KEY} characters` }),
          z.refine((key) => !holdsSecrets(key), {
            error:
              'a key that cloud-init does not read: those hold passwords, so they never leave their server',
          }),
        ),
        z.string({ error: 'a text or glob, such as "gold"' }),
        { error: 'an object of user.* keys, such as { "user.tier": "gold" }' },
      ),
      'Keys that an instance or one of its profiles must carry. Values are globs; `"*"` means that the key is there.',
      { default: DEFAULTS.select.config, examples: [{ 'user.tier': 'gold' }] },
    ),
    exclude: may(
      z.array(field.excludeGlob, { error: 'a list of globs, such as ["main/default/tmp-*"]' }),
      'What to leave out: globs over `instance`, `project/instance` or `remote/project/instance`.',
      { default: DEFAULTS.select.exclude, examples: [['main/default/tmp-*']] },
    ),
  },
  'an object, such as { "remotes": ["main"] }',
)

const SHARE = 'a share above 0 and up to 1, such as 0.5'
const NUMBER = 'a whole number from 1, such as 10'

const brakeSchema = object(
  {
    share: may(
      z.number({ error: SHARE }).check(z.gt(0, { error: SHARE }), z.lte(1, { error: SHARE })),
      'Of the snapshots that an instance has of this policy; more than this share may not go at once. Fewer than three are always few.',
      { default: DEFAULT_BRAKE.share },
    ),
    number: may(
      z.int({ error: NUMBER }).check(z.gte(1, { error: NUMBER })),
      'So many of them may go at once, at most.',
      { default: DEFAULT_BRAKE.number },
    ),
  },
  'an object, such as { "share": 0.5, "number": 10 }',
)

const promiseSchema = object(
  {
    snapshot: may(field.duration, 'Of the newest snapshot of this policy.', { examples: ['2h'] }),
    copy: may(field.duration, 'Of the newest snapshot that its copy holds and that was verified.', {
      examples: ['26h'],
    }),
    export: may(field.duration, 'Of the snapshot in the newest export that its store holds.', {
      examples: ['8d'],
    }),
  },
  'an object, such as { "snapshot": "2h", "copy": "26h" }',
)

const manualSchema = object(
  {
    expiry: may(
      field.expiry,
      `When Incus removes a snapshot that was taken on request. In Incus's form, as \`expiry\`; or \`${NEVER}\`: then it stays until somebody expires it by name.`,
      { default: DEFAULTS.manual.expiry, examples: ['7d', '3m'] },
    ),
  },
  'an object, such as { "expiry": "30d" }',
)

const settings = {
  remotes: may(
    remotes,
    'Remotes, by the names that they have in relay.jsonc. Short for `"select": { "remotes": … }`.',
    { examples: [['main']] },
  ),
  select: may(selectSchema, 'Which instances are covered; every condition must hold.'),
  schedule: may(field.schedule, 'When: cron expressions of five fields, or an alias, in `timezone`.', {
    examples: ['@hourly', ['0 3 * * *', '0 15 * * 6']],
  }),
  timezone: may(field.timezone, 'IANA time zone: of the schedule, and of the days and weeks in `keep`.', {
    default: DEFAULTS.timezone,
    examples: ['Europe/Berlin'],
  }),
  jitter: may(
    field.duration,
    'Each instance is served with a delay of less than this: a fixed one of its own.',
    { default: DEFAULTS.jitter, examples: ['10m'] },
  ),
  catchup: may(
    field.duration,
    'How late a slot may still be served, after an outage. An older slot is missed.',
    { default: DEFAULTS.catchup, examples: ['6h'] },
  ),
  paused: may(field.flag, 'true: this policy takes, expires and copies nothing.', {
    default: DEFAULTS.paused,
  }),
  stateful: may(
    z.union([z.boolean(), z.literal('possible')], { error: 'true, false or "possible"' }),
    'true: with the memory of running instances; what can\'t keep it gets no snapshot. `"possible"`: it gets one without its memory then. Virtual machines need migration.stateful=true, and a size.state on the root disk above limits.memory; containers need CRIU.',
    { default: DEFAULTS.stateful },
  ),
  together: may(
    togetherSchema,
    'true: an instance and its attached volumes are one. Their snapshots have one name and are of one moment: the instance stands still meanwhile, for a short time only. They count, stay and go together. Needs `"attached"` in `select.volumes`.',
    { default: false, examples: [true, { pause: '10s' }] },
  ),
  keep: mayKeep('How long snapshots stay on the source.'),
  grace: may(
    field.duration,
    'What `keep` no longer wants goes so much later, by an expiry that Incus executes; until then `/backup undo` takes that back.',
    { default: DEFAULTS.grace, examples: ['48h'] },
  ),
  expiry: mayExpire(
    'When Incus itself removes a snapshot, whatever `keep` says and whether or not stapes runs.',
  ),
  manual: may(
    manualSchema,
    'Snapshots that are taken on request (`/backup now`, `POST /api/run`). They are called `manual-…`, and take no place in `keep`.',
  ),
  copy: may(
    z.union([z.literal(false), copySchema], {
      error: 'an object, such as { "remote": "backup" }, or false for no copy',
    }),
    'Where a copy of each covered instance goes; false for none.',
    { default: false, examples: [{ remote: 'backup', expiry: '90d' }] },
  ),
  export: may(
    z.union([z.literal(false), exportSchema], {
      error: 'an object, such as { "to": "nas" }, or false for no exports',
    }),
    'Where an export file of each covered instance goes; false for none.',
    { default: false, examples: [{ to: 'nas', schedule: '@weekly' }] },
  ),
  approval: may(
    z.enum(['self', 'second'], {
      error: '"self" (the requester may confirm) or "second" (another person must)',
    }),
    'Who confirms a restore or an expiry on an instance of this policy. `self`: the person who requested it. `second`: another person.',
    { default: DEFAULTS.approval },
  ),
  promise: may(
    promiseSchema,
    'How old the newest backup of a covered instance may be. Where it is older, the promise is broken, and the status says so. Without it, each slot of the schedule must be served within an hour, copied within two, and each slot of `export.schedule` be exported within twelve.',
  ),
  ping: may(
    z.union([z.literal(false), pingSchema], {
      error:
        'an object, such as { "type": "healthchecks", "url": { "secret": "PING_DAILY" } }, or false for none',
    }),
    "A dead man's switch: it is told when work for this policy begins, and regularly whether its promises are kept.",
    { default: false },
  ),
  brake: may(
    z.union([z.literal(false), brakeSchema], {
      error: 'an object, such as { "share": 0.5, "number": 10 }, or false for no brake',
    }),
    'How much may expire at once, for each instance, by schedule or by a person. More waits until somebody confirms it (`/backup allow`); false: nothing waits.',
    { default: DEFAULT_BRAKE },
  ),
}

export const settingsSchema = object(
  settings,
  'an object, such as { "remotes": ["main"], "schedule": "@hourly" }',
).check(
  z.refine(({ remotes, select }) => remotes === undefined || select?.remotes === undefined, {
    path: ['remotes'],
    error: 'either "remotes" or "select.remotes"',
    params: { sentence: 'given twice, here and in "select": remove one of them' },
  }),
)

export type Settings = z.output<typeof settingsSchema>

export const documentSchema = object(
  {
    $schema: may(
      z.string({ error: 'the address of the schema, such as "./stapes.schema.json"' }),
      'Where an editor finds the schema of this file.',
    ),
    defaults: may(
      settingsSchema,
      "Values for policies that don't set their own. `select`, `manual`, `copy` and `export` are merged key by key, everything else as a whole.",
    ),
    policies: described(
      z.record(z.string(), settingsSchema, { error: 'an object of policies by their names' }),
      "The policies by name, in lower case. Their snapshots' names begin with it.",
      { propertyNames: { pattern: POLICY_NAME.source } },
    ),
    access: may(
      accessSchema,
      'Who may do what in chat. Anyone without a grant can only ask for their own id (`/backup whoami`).',
    ),
    notify: may(
      notifySchema,
      'Who is told when something is not well, by names of your choice. Addresses and tokens are secrets of the Worker, by name.',
      { examples: [{ ops: { type: 'slack', url: { secret: 'NOTIFY_SLACK' } } }] },
    ),
  },
  'an object, such as { "policies": { … } }',
)

/** The keys that are known at a path of the document, to name them when one is not. */
export function keysAt(path: readonly PropertyKey[]): string[] {
  if (path.length === 0) return Object.keys(documentSchema.shape)
  if (path[0] === 'access') return accessKeysAt(path.slice(1))
  if (path[0] === 'notify') return notifyKeysAt(path.slice(1))
  if (path.length === 1 || (path.length === 2 && path[0] === 'policies')) return Object.keys(settings)
  const shapes: Record<string, object> = {
    select: selectSchema.shape,
    keep: keepSchema.shape,
    manual: manualSchema.shape,
    promise: promiseSchema.shape,
    ping: pingSchema.shape,
    url: { secret: null },
    copy: copySchema.shape,
    brake: brakeSchema.shape,
    together: { pause: null },
    export: exportSchema.shape,
  }
  return Object.keys(own(shapes, String(path.at(-1))) ?? {})
}
