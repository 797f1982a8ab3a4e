/**
 * The shape of `stapes.jsonc`: strict everywhere. What only the whole can tell (a missing remote, a copy
 * onto itself) is left to checks.ts; what each key means stands in descriptions.ts, outside of the Worker.
 */
import * as z from 'zod/mini'
import { own } from '../own.ts'
import { accessKeysAt, accessSchema } from './access-schema.ts'
import * as field from './fields.ts'

const { list, may, object } = field

const remotes = list(field.remote, 'a list of at least one remote, such as ["main"]')

export const selectSchema = object(
  {
    remotes: may(remotes),
    projects: may(list(field.projectGlob, 'a list of project names or globs, such as ["default"]')),
    instances: may(list(field.instanceGlob, 'a list of instance names or globs, such as ["web*"]')),
    types: may(
      list(
        z.enum(['container', 'virtual-machine'], { error: '"container" or "virtual-machine"' }),
        'a list of "container", "virtual-machine" or both',
      ),
    ),
    running: may(field.flag),
    config: may(
      z.record(
        z.string().check(z.regex(/^user\..+$/, { error: 'a key that begins with "user."' })),
        z.string({ error: 'a text or glob, such as "gold"' }),
        { error: 'an object of user.* keys, such as { "user.tier": "gold" }' },
      ),
    ),
    exclude: may(z.array(field.excludeGlob, { error: 'a list of globs, such as ["main/default/tmp-*"]' })),
  },
  'an object, such as { "remotes": ["main"] }',
)

const count = () => may(field.count)
const span = () => may(field.span)

export const keepSchema = object(
  {
    last: count(),
    hourly: count(),
    daily: count(),
    weekly: count(),
    monthly: count(),
    yearly: count(),
    within: span(),
    withinHourly: span(),
    withinDaily: span(),
    withinWeekly: span(),
    withinMonthly: span(),
    withinYearly: span(),
  },
  'an object of rules, such as { "daily": 7 }',
)

export const copySchema = object(
  {
    remote: may(field.remote),
    project: may(field.project),
    pool: may(field.pool),
    target: may(field.member),
    transferMode: may(
      z.enum(['pull', 'push'], {
        error: '"pull" (the target dials the source) or "push" (the source dials the target)',
      }),
    ),
    allow: may(
      z.enum(['freeze', 'inconsistent'], {
        error:
          '"inconsistent" (a running instance goes on) or "freeze" (it may stand still while it is copied)',
      }),
    ),
    keep: may(keepSchema),
    expiry: may(field.expiry),
  },
  'an object, such as { "remote": "backup" }',
)

const settings = {
  remotes: may(remotes),
  select: may(selectSchema),
  schedule: may(field.schedule),
  timezone: may(field.timezone),
  jitter: may(field.duration),
  catchup: may(field.duration),
  paused: may(field.flag),
  stateful: may(field.flag),
  keep: may(keepSchema),
  expiry: may(field.expiry),
  copy: may(
    z.union([z.literal(false), copySchema], {
      error: 'an object, such as { "remote": "backup" }, or false for no copy',
    }),
  ),
  approval: may(
    z.enum(['self', 'second'], {
      error: '"self" (whoever asked may confirm) or "second" (another person must)',
    }),
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
    $schema: may(z.string({ error: 'the address of the schema, such as "./stapes.schema.json"' })),
    defaults: may(settingsSchema),
    policies: z.record(z.string(), settingsSchema, { error: 'an object of policies by their names' }),
    access: may(accessSchema),
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
  return Object.keys(own(shapes, String(path.at(-1))) ?? {})
}
