/** The shape of a `ping` in `stapes.jsonc`. */
import * as z from 'zod/mini'
import { PING_SECRET, PING_TYPES } from '../ping/settings.ts'
import { DEFAULTS } from './defaults.ts'
import * as field from './fields.ts'

const { described, may, object } = field

const PING_SECRET_NAME =
  'the name of a secret of the Worker that begins with PING_, such as { "secret": "PING_DAILY" }'

export const pingSchema = object(
  {
    type: described(
      z.enum(PING_TYPES, { error: '"healthchecks" or "uptime-kuma"' }),
      '`healthchecks`: healthchecks.io, or what takes the same. `uptime-kuma`: the push form of Uptime Kuma.',
    ),
    url: described(
      object(
        {
          secret: described(
            z.string({ error: PING_SECRET_NAME }).check(z.regex(PING_SECRET, { error: PING_SECRET_NAME })),
            'The name of a secret or environment variable of the Worker. It begins with `PING_`.',
          ),
        },
        PING_SECRET_NAME,
      ),
      'Where the pings go: the address of a check.',
    ),
    slug: may(
      field.flag,
      'true: the address is that of a whole project (`https://hc-ping.com/<ping key>`), and the name of the policy follows it. So one address in `defaults` serves all policies.',
      { default: DEFAULTS.ping.slug },
    ),
    every: may(field.duration, 'How often, at least, while nothing happens.', {
      default: DEFAULTS.ping.every,
      examples: ['15m'],
    }),
  },
  'an object, such as { "type": "healthchecks", "url": { "secret": "PING_DAILY" } }',
)
