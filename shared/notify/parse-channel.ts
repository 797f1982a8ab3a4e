/** A channel as KV has it: untrusted, and of an earlier version perhaps. */
import * as z from 'zod/mini'
import { isTimezone, parseSchedule } from '../schedule/slots.ts'
import { type Channel, GRAVITIES, PROVIDERS, SECRET_NAME, SECRETS, SERVICES } from './channel.ts'

const text = z.string()
const many = z.nullable(z.array(text))
const time = z.string().check(z.regex(/^\d\d:\d\d$/))

export const channelSchema: z.ZodMiniType<Channel> = z.looseObject({
  name: text,
  type: z.enum(SERVICES),
  secrets: z.partialRecord(z.enum(SECRETS), z.string().check(z.regex(SECRET_NAME))),
  email: z.nullable(z.looseObject({ provider: z.enum(PROVIDERS), from: text, to: z.array(text) })),
  severity: z.enum(GRAVITIES),
  policies: many,
  remotes: many,
  match: many,
  timezone: z.string().check(z.refine(isTimezone)),
  quiet: z.nullable(z.looseObject({ from: time, to: time })),
  digest: z.nullable(z.array(z.string().check(z.refine((one) => parseSchedule(one).ok)))),
})
