/**
 * The shape of `stapes.jsonc`: strict everywhere, each key with the words that an editor shows. What only
 * the whole can tell (a missing remote, a copy onto itself) is left to checks.ts.
 */
import * as z from 'zod/mini'
import { POLICY_NAME } from '../incus/snapshot-name.ts'
import { accessKeysAt, accessSchema } from './access-schema.ts'
import { DEFAULTS, NEVER } from './defaults.ts'
import * as field from './fields.ts'

const { list, may, object } = field

const remotes = list(field.remote, 'a list of at least one remote, such as ["main"]')

const selectSchema = object(
  {
    remotes: may(remotes, { description: 'Remotes, by the names that the relay knows.' }),
    projects: may(list(field.projectGlob, 'a list of project names or globs, such as ["default"]'), {
      description: 'Projects, as names or globs (`*` any characters, `?` one); `["*"]` means all.',
      default: DEFAULTS.select.projects,
    }),
    instances: may(list(field.instanceGlob, 'a list of instance names or globs, such as ["web*"]'), {
      description: 'Instances, as names or globs.',
      default: DEFAULTS.select.instances,
    }),
    types: may(
      list(
        z.enum(['container', 'virtual-machine'], { error: '"container" or "virtual-machine"' }),
        'a list of "container", "virtual-machine" or both',
      ),
      { description: 'Types of instances.', default: DEFAULTS.select.types },
    ),
    running: may(field.flag, {
      description: 'true: only instances that run or are frozen.',
      default: DEFAULTS.select.running,
    }),
    config: may(
      z.record(
        z.string().check(z.regex(/^user\..+$/, { error: 'a key that begins with "user."' })),
        z.string({ error: 'a text or glob, such as "gold"' }),
        { error: 'an object of user.* keys, such as { "user.tier": "gold" }' },
      ),
      {
        description:
          'Keys that an instance or one of its profiles must carry. Values are globs; `"*"` means that the key is there.',
        default: DEFAULTS.select.config,
        examples: [{ 'user.tier': 'gold' }],
      },
    ),
    exclude: may(z.array(field.excludeGlob, { error: 'a list of globs, such as ["main/default/tmp-*"]' }), {
      description:
        'What is left out: globs over `instance`, `project/instance` or `remote/project/instance`.',
      default: DEFAULTS.select.exclude,
      examples: [['main/default/tmp-*']],
    }),
  },
  'an object, such as { "remotes": ["main"] }',
)

const count = (what: string) =>
  may(field.count, { description: `${what} -1 keeps all of them, 0 is no rule.` })

const span = (what: string) =>
  may(field.span, {
    description: `${what} that is younger than this span, counted back from the newest one.`,
    examples: ['2y5m7d3h', '14d'],
  })

export const keepSchema = object(
  {
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
  },
  'an object of rules, such as { "daily": 7 }',
)

const keep = (what: string) =>
  may(keepSchema, {
    description: `${what} A snapshot stays if any rule keeps it, periods without one don't count, and without a rule everything stays.`,
    examples: [{ hourly: 24, daily: 7, weekly: 4 }],
  })

const expiry = (what: string) =>
  may(field.expiry, {
    description: `${what} In Incus's form: S, M (minutes), H, d, w, m (months), y; or \`${NEVER}\`.`,
    default: NEVER,
    examples: ['30d', '1w 3d'],
  })

const copySchema = object(
  {
    remote: may(field.remote, { description: 'The remote that holds the copy.' }),
    project: may(field.project, {
      description:
        'The project that the copy is put into; without it, one of the same name as the source has.',
    }),
    pool: may(field.pool, {
      description: "The copy's storage pool; without it, that of the target's default profile.",
    }),
    transferMode: may(
      z.enum(['pull', 'push'], {
        error: '"pull" (the target dials the source) or "push" (the source dials the target)',
      }),
      {
        description: '`pull`: the target dials the source. `push`: the source dials the target.',
        default: DEFAULTS.copy.transferMode,
      },
    ),
    keep: keep(
      'How long snapshots stay on the copy. What the source has let go, the next refresh removes there too.',
    ),
    expiry: expiry('When Incus removes a snapshot from the copy.'),
  },
  'an object, such as { "remote": "backup" }',
)

const settings = {
  remotes: may(remotes, {
    description: 'Remotes, by the names that the relay knows. Short for `"select": { "remotes": … }`.',
    examples: [['main']],
  }),
  select: may(selectSchema, { description: 'Which instances are covered; every condition must hold.' }),
  schedule: may(field.schedule, {
    description: 'When: cron expressions of five fields, or an alias, in `timezone`.',
    examples: ['@hourly', ['0 3 * * *', '0 15 * * 6']],
  }),
  timezone: may(field.timezone, {
    description: 'IANA time zone: of the schedule, and of the days and weeks in `keep`.',
    default: DEFAULTS.timezone,
    examples: ['Europe/Berlin'],
  }),
  jitter: may(field.duration, {
    description: 'Each instance is served with a delay below this; its own, and always the same.',
    default: DEFAULTS.jitter,
    examples: ['10m'],
  }),
  catchup: may(field.duration, {
    description: 'How late a slot may still be served, after an outage. One that is older is missed.',
    default: DEFAULTS.catchup,
    examples: ['6h'],
  }),
  paused: may(field.flag, {
    description: 'true: this policy takes, expires and copies nothing.',
    default: DEFAULTS.paused,
  }),
  stateful: may(field.flag, {
    description: 'true: with the state of the running instance (virtual machines; containers need CRIU).',
    default: DEFAULTS.stateful,
  }),
  keep: keep('How long snapshots stay on the source.'),
  expiry: expiry(
    'When Incus itself removes a snapshot, whatever `keep` says and whether or not stapes runs.',
  ),
  copy: may(
    z.union([z.literal(false), copySchema], {
      error: 'an object, such as { "remote": "backup" }, or false for no copy',
    }),
    {
      description: 'Where a copy of each covered instance goes; false for none.',
      default: false,
      examples: [{ remote: 'backup', expiry: '90d' }],
    },
  ),
  approval: may(
    z.enum(['self', 'second'], {
      error: '"self" (whoever asked may confirm) or "second" (another person must)',
    }),
    {
      description:
        'Who confirms something destructive on an instance of this policy. `self`: the one who asked. `second`: another person.',
      default: DEFAULTS.approval,
    },
  ),
}

export const settingsSchema = object(
  settings,
  'an object, such as { "remotes": ["main"], "schedule": "@hourly" }',
).check(
  z.refine(({ remotes, select }) => remotes === undefined || select?.remotes === undefined, {
    path: ['remotes'],
    error: 'either "remotes" or "select.remotes"',
    params: { sentence: 'said twice, here and in "select": remove one of them' },
  }),
)

export type Settings = z.output<typeof settingsSchema>

export const documentSchema = object(
  {
    $schema: may(z.string({ error: 'the address of the schema, such as "./stapes.schema.json"' }), {
      description: 'Where an editor finds the schema of this file.',
    }),
    defaults: may(settingsSchema, {
      description:
        'What a policy takes where it says nothing itself. `select` and `copy` are merged key by key, everything else as a whole.',
    }),
    policies: z.record(z.string(), settingsSchema, { error: 'an object of policies by their names' }).check(
      z.meta({
        description: "The policies by name: lower-case, and the beginning of their snapshots' names.",
        propertyNames: { pattern: POLICY_NAME.source },
      }),
    ),
    access: may(accessSchema, {
      description:
        'Who may do what in chat. Whoever no grant names may do nothing but ask who they are (`/backup whoami`).',
    }),
  },
  'an object, such as { "policies": { … } }',
)

/** The keys that are known at a path of the document, to name them when one is not. */
export function keysAt(path: readonly PropertyKey[]): string[] {
  if (path.length === 0) return Object.keys(documentSchema.shape)
  if (path[0] === 'access') return accessKeysAt(path.slice(1))
  if (path.length === 1 || (path.length === 2 && path[0] === 'policies')) return Object.keys(settings)
  const shapes: Record<string, object> = {
    select: selectSchema.shape,
    keep: keepSchema.shape,
    copy: copySchema.shape,
  }
  return Object.keys(shapes[String(path.at(-1))] ?? {})
}
