/** `alarm` in relay.jsonc: whom the relay tells that the edge is silent. */
import { z } from 'zod'
import { span } from '../config-parts.ts'

const url = z.string().refine((text) => {
  const parsed = URL.parse(text)
  return parsed !== null && /^https?:$/.test(parsed.protocol) && parsed.username === ''
}, 'expected https://… (http://… too, where nobody can listen), without a user in it')

/** It goes into a header. */
const token = z.string().regex(/^[!-~]+$/, 'expected a token without spaces')

const CHANNEL = '{ "type": "ntfy", "url": "https://ntfy.sh/<topic>" }'

const channel = z.strictObject(
  {
    type: z.enum(['slack', 'ntfy', 'webhook'], {
      error: 'expected "slack" (and what takes the same, such as Mattermost), "ntfy" or "webhook"',
    }),
    url,
    token: token.exactOptional(),
  },
  { error: ({ code }) => (code === 'invalid_type' ? `expected an object, such as ${CHANNEL}` : undefined) },
)

export const alarmSchema = z
  .strictObject({
    /** Milliseconds. */
    after: span.transform((seconds) => seconds * 1000).prefault('4m'),
    channels: z
      .record(
        z.string().regex(/^[A-Za-z][A-Za-z0-9._-]{0,39}$/, 'a name of letters, digits and hyphens'),
        channel,
      )
      .default({}),
    ping: url.exactOptional(),
  })
  .refine(
    ({ channels, ping }) => ping !== undefined || Object.keys(channels).length > 0,
    `expected at least one channel, such as "channels": { "ops": ${CHANNEL} }, or a "ping"`,
  )

/** Nobody is told: the metrics alone show it. */
export const NO_ALARM = { after: 240_000, channels: {} } as const satisfies AlarmConfig

export type AlarmConfig = z.output<typeof alarmSchema>
export type ChannelConfig = AlarmConfig['channels'][string]
