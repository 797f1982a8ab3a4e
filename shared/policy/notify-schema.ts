/** The shape of `notify` in `stapes.jsonc`: the channels by name, and what each key means. */
import * as z from 'zod/mini'
import { GRAVITIES, PROVIDERS, SECRET_NAME, SECRETS, SERVICES } from '../notify/channel.ts'
import { DEFAULTS } from './defaults.ts'
import * as field from './fields.ts'

const { described, list, may, object } = field

const or = (names: readonly string[]): string => names.map((name) => `"${name}"`).join(', ')

const NAMED = 'the name of a secret of the Worker, such as { "secret": "NOTIFY_SLACK" }'

const secret = object(
  {
    secret: described(
      z
        .string({ error: NAMED })
        .check(z.regex(SECRET_NAME, { error: 'a name that begins with NOTIFY_, such as "NOTIFY_SLACK"' })),
      'The name of a secret or environment variable of the Worker. It begins with `NOTIFY_`.',
    ),
  },
  NAMED,
)

const TIME = 'a time of day, such as "22:00"'
const time = () => z.string({ error: TIME }).check(z.regex(/^([01]\d|2[0-3]):[0-5]\d$/, { error: TIME }))

const ADDRESS = 'an e-mail address, such as "ops@example.org"'
// With a display name, or without one. No line breaks, which would begin another header.
const address = z
  .string({ error: ADDRESS })
  .check(z.regex(/^(?:[^<>@\r\n]{1,80} <[^\s<>@]+@[^\s<>@]+>|[^\s<>@]+@[^\s<>@]+)$/, { error: ADDRESS }))

const TYPE = `one of ${or(SERVICES)}`

const channel = {
  type: described(z.enum(SERVICES, { error: TYPE }), 'The service.'),
  url: may(
    secret,
    'Where the messages go: the address of an incoming webhook (Slack, Discord, Mattermost), of a topic (ntfy), of a server (Gotify), or of whatever takes a generic webhook.',
  ),
  token: may(secret, 'The token of an ntfy user, of a Gotify application, or of the provider of e-mail.'),
  key: may(secret, 'Of a generic webhook: the key that signs it, at least 24 characters.'),
  provider: may(
    z.enum(PROVIDERS, { error: `one of ${or(PROVIDERS)}` }),
    'Of e-mail: the provider that sends it.',
  ),
  from: may(address, 'Of e-mail: the sender, whose domain the provider knows.', {
    examples: ['stapes <backups@example.org>'],
  }),
  to: may(
    list(address, `a list of at least one address, such as ["ops@example.org"]`),
    'Of e-mail: who gets it.',
  ),
  severity: may(
    z.enum(GRAVITIES, {
      error: '"critical" (a promise is not kept, or may not be soon) or "warning" (also what needs a look)',
    }),
    '`critical`: only what keeps something from being backed up. `warning`: also what needs a look, once it has lasted a quarter of an hour.',
    { default: 'warning' },
  ),
  policies: may(
    list(z.string({ error: 'the name of a policy' }), 'a list of at least one policy; leave it out for all'),
    'Only what is about these policies.',
  ),
  remotes: may(
    list(field.remote, 'a list of at least one remote; leave it out for all'),
    'Only what is about these remotes.',
  ),
  match: may(
    list(field.excludeGlob, 'a list of at least one glob, such as ["web*"]; leave it out for all'),
    'Only what is about these instances: globs over `instance`, `project/instance` or `remote/project/instance`. What is about no instance is always told.',
    { examples: [['web*', 'main/shop/*']] },
  ),
  timezone: may(field.timezone, 'IANA time zone of `quiet` and `digest`.', {
    default: DEFAULTS.timezone,
    examples: ['Europe/Berlin'],
  }),
  quiet: may(
    object(
      {
        from: described(time(), 'When it begins.'),
        to: described(time(), 'When it ends; earlier than `from` is on the next day.'),
      },
      'an object, such as { "from": "22:00", "to": "07:00" }',
    ),
    'Between these times of day only what is critical is told; the rest waits.',
    { examples: [{ from: '22:00', to: '07:00' }] },
  ),
  digest: may(
    field.schedule,
    'When a summary is sent: a cron expression of five fields, or an alias, in `timezone`. Without it none is sent.',
    { examples: ['0 8 * * *', '0 8 * * 1'] },
  ),
}

export const channelSchema = object(
  channel,
  'an object, such as { "type": "slack", "url": { "secret": "NOTIFY_SLACK" } }',
)

const NAME = 'a name of letters, digits, ".", "_" and "-", at most 40, a letter first'

export const notifySchema = z.record(
  z.string().check(z.regex(/^[A-Za-z][A-Za-z0-9._-]{0,39}$/, { error: NAME })),
  channelSchema,
  { error: 'an object of channels by their names, such as { "ops": { "type": "slack", … } }' },
)

export type NotifySettings = z.output<typeof notifySchema>

/** Where somebody may have written a secret itself instead of its name: an error must not show it. */
export const isSecretAt = ([part, , key]: readonly PropertyKey[]): boolean =>
  part === 'notify' && SECRETS.some((use) => use === key)

/** The keys that are known at a path inside of `notify`. */
export function notifyKeysAt(path: readonly PropertyKey[]): string[] {
  if (path.length === 1) return Object.keys(channel)
  return path.at(-1) === 'quiet' ? ['from', 'to'] : ['secret']
}
