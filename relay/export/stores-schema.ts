/** Where the relay may export to, and for whom it encrypts: its configuration alone decides that, and no caller. */
import { isAbsolute } from 'node:path'
import { Encrypter } from 'age-encryption'
import { z } from 'zod'
import { fingerprintOr, NAME, span } from '../config-parts.ts'
import type { S3Options } from './s3-client.ts'

/**
 * `minRetention`: how long an export stays there at least, in seconds. `locked`: the store itself keeps it for so long, also from
 * the relay, which tells where it doesn't. `removeLast`: also the newest whole one of an instance goes, if somebody asks for just that.
 */
export type StoreConfig = {
  recipients: readonly string[]
  minRetention?: number
  locked?: boolean
  removeLast?: boolean
} & ({ type: 'directory'; path: string } | ({ type: 's3'; prefix: string } & S3Options))

const recipient = z.string().refine((text) => {
  try {
    new Encrypter().addRecipient(text)
    return true
  } catch {
    return false
  }
}, 'expected an age recipient, age1…; age-keygen makes one with its key, which stays off this machine')

const recipients = z.array(recipient)

const endpoint = z.string().transform((url, context) => {
  const parsed = URL.parse(url)
  const isOpen = parsed?.protocol === 'http:' && /^(127\.|localhost$|\[::1\]$)/.test(parsed.hostname)
  if (parsed !== null && (parsed.protocol === 'https:' || isOpen) && parsed.search === '')
    return url.replace(/\/+$/, '')
  context.addIssue({ code: 'custom', message: 'expected https://host, without the bucket' })
  return z.NEVER
})

const filled = z.string().min(1)

/** Of a store that says nothing else, in seconds. */
const MIN_RETENTION = 86_400

const store = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('directory'),
    path: z.string().refine(isAbsolute, 'expected a path from the root on: /srv/exports'),
    recipients: recipients.exactOptional(),
    minRetention: span.default(MIN_RETENTION),
    removeLast: z.boolean().default(false),
  }),
  z.strictObject({
    type: z.literal('s3'),
    endpoint,
    region: filled.default('auto'),
    bucket: z.string().regex(/^[a-z0-9][a-z0-9.-]{1,62}$/, 'expected the name of a bucket'),
    prefix: z
      .string()
      .regex(/^([\w.-]+(\/[\w.-]+)*)?$/, 'expected names with slashes between them: backups/incus')
      .default(''),
    accessKeyId: filled,
    secretAccessKey: filled,
    fingerprint: fingerprintOr('expected 64 hex digits').exactOptional(),
    recipients: recipients.exactOptional(),
    minRetention: span.default(MIN_RETENTION),
    locked: z.boolean().default(false),
    removeLast: z.boolean().default(false),
  }),
])

export const exportsSchema = z
  .strictObject({
    stores: z.record(
      z.string().regex(NAME, 'a store is named with lower-case letters, digits and hyphens'),
      store,
    ),
    recipients: recipients.default([]),
  })
  .transform(
    ({ stores, recipients: all }): Record<string, StoreConfig> =>
      Object.fromEntries(
        Object.entries(stores).map(([name, { recipients: mine = all, ...config }]) => [
          name,
          { ...config, recipients: mine },
        ]),
      ),
  )
