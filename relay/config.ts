/** The relay's configuration, parsed once. Each error names its path and what to do. */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { z } from 'zod'
import { KEY_BYTES } from '../shared/relay/signature.ts'
import { err, ok, type Result } from '../shared/result.ts'
import { alarmSchema } from './alarm/alarm-schema.ts'
import { fingerprintOr, NAME, span } from './config-parts.ts'
import { exportsSchema } from './export/stores-schema.ts'
import { hooksSchema } from './hooks-schema.ts'
import type { ClientCertificate } from './pinning.ts'
import type { RelayOptions } from './relay.ts'
import type { RemoteConfig } from './upstreams.ts'

export type RelayConfig = Omit<RelayOptions, 'log' | 'emit'>

const KEYID = /^[!#-[\]-~]{1,64}$/

/** One value or a list of them; each error names its own place. */
const oneOrMore = <T>(item: z.ZodType<T>) =>
  z.unknown().transform((given, context): T[] => {
    const isList = Array.isArray(given)
    if (isList && given.length === 0) context.addIssue({ code: 'custom', message: 'expected at least one' })
    return (isList ? given : [given]).flatMap((value, place) => {
      const parsed = item.safeParse(value)
      if (parsed.success) return [parsed.data]
      for (const { message } of parsed.error.issues)
        context.addIssue({ code: 'custom', message, path: isList ? [place] : [] })
      return []
    })
  })

const httpsUrl = z.string().transform((url, context) => {
  const parsed = URL.parse(url)
  if (parsed?.protocol === 'https:' && parsed.pathname === '/' && parsed.search === '') return parsed.origin
  context.addIssue({ code: 'custom', message: 'expected https://host:port and nothing after it' })
  return z.NEVER
})

const fingerprint = fingerprintOr(
  'expected 64 hex digits; "incus info" on the server shows them as certificate_fingerprint',
)

const key = z
  .base64(`expected base64; make one with: openssl rand -base64 ${KEY_BYTES}`)
  .transform((secret) => Buffer.from(secret, 'base64'))
  .refine(
    (secret) => secret.length >= KEY_BYTES,
    `expected at least ${KEY_BYTES} bytes; make one with: openssl rand -base64 ${KEY_BYTES}`,
  )

/** Whoever has it may read the metrics, which name remotes and keys. */
const token = z
  .string()
  .regex(
    /^[!-~]{24,}$/,
    'expected at least 24 characters without spaces; make one with: openssl rand -base64 24',
  )

/** Of a backup target that says nothing else, in seconds. */
const MIN_RETENTION = 86_400

/** The message for what is no object where one is expected; null: zod's own. */
const form =
  (example: string) =>
  ({ code }: z.core.$ZodRawIssue): string | undefined =>
    code === 'invalid_type' ? `expected an object, such as ${example}` : undefined

const LISTEN = '{ "host": "127.0.0.1", "port": 8788 }'
const CLIENT = '{ "certificate": "client.crt", "key": "client.key" }'

const REMOTE = '{ "url": "https://192.0.2.10:8443", "fingerprint": "<64 hex digits>" }'

const remote = z
  .strictObject(
    {
      url: oneOrMore(httpsUrl),
      fingerprint: oneOrMore(fingerprint),
      address: oneOrMore(httpsUrl).exactOptional(),
      copies: z.number().int().min(1).max(32).exactOptional(),
      role: z
        .enum(['source', 'target', 'both'], 'expected "source", "target" (it holds copies) or "both"')
        .default('source'),
      minRetention: span.exactOptional(),
      restores: z.boolean().default(true),
      files: z.boolean().exactOptional(),
      receives: z.array(z.string()).exactOptional(),
    },
    { error: form(REMOTE) },
  )
  .transform(
    (
      { url: urls, address: addresses = urls, fingerprint, minRetention, ...given },
      context,
    ): RemoteConfig => {
      if (given.role === 'source' && minRetention !== undefined)
        context.addIssue({
          code: 'custom',
          message: 'only a backup target keeps copies: set "role": "target" or "both"',
          path: ['minRetention'],
        })
      if (addresses.length !== 1 && addresses.length !== urls.length) {
        const message = `expected one, or one for each url (${urls.length}), in the same order`
        context.addIssue({ code: 'custom', message, path: ['address'] })
      }
      const members = urls.map((url, place) => ({ url, address: addresses[place] ?? addresses[0] ?? url }))
      const [first = { url: '', address: '' }, ...spare] = members
      return {
        ...given,
        ...first,
        fingerprint: alone(fingerprint),
        ...(given.role === 'source' ? {} : { minRetention: minRetention ?? MIN_RETENTION }),
        ...(spare.length === 0 ? {} : { spare }),
      }
    },
  )

const alone = (values: string[]): string | string[] => (values.length === 1 ? (values[0] ?? values) : values)

const schema = z.strictObject({
  listen: z
    .strictObject(
      {
        host: z.string().min(1).default('127.0.0.1'),
        port: z.coerce.number().int().min(0).max(65_535).default(8788),
      },
      { error: form(LISTEN) },
    )
    .prefault({}),
  keys: z
    .record(z.string().regex(KEYID, 'a keyid is short and has no spaces or quotes'), key, {
      error: form('{ "worker": "<base64>" }'),
    })
    .refine((keys) => Object.keys(keys).length > 0, 'expected at least one key: {"<keyid>": "<base64>"}'),
  client: z.strictObject({ certificate: z.string().min(1), key: z.string().min(1) }, { error: form(CLIENT) }),
  journal: z.string().min(1).default('relay-journal.json'),
  alarm: alarmSchema.exactOptional(),
  exports: exportsSchema.exactOptional(),
  hooks: hooksSchema.exactOptional(),
  metrics: z
    .strictObject({ token }, { error: form('{ "token": "<at least 24 characters>" }') })
    .exactOptional(),
  remotes: z
    .record(z.string().regex(NAME, 'a remote is named with lower-case letters, digits and hyphens'), remote, {
      error: form(`{ "main": ${REMOTE} }`),
    })
    .refine((remotes) => Object.keys(remotes).length > 0, 'expected at least one remote'),
})

/** `directory` is what the paths of the client and the journal are relative to; PEM texts may stand there instead of paths. */
export function parseConfig(document: unknown, directory: string): Result<RelayConfig, string> {
  const parsed = schema.safeParse(document)
  if (!parsed.success) return err(parsed.error.issues.map((issue) => renderIssue(issue, document)).join('\n'))
  const { journal, ...data } = parsed.data
  const client = readClient(data.client, directory)
  return client.ok ? ok({ ...data, client: client.value, journalFile: resolve(directory, journal) }) : client
}

/** The command that writes a relay.jsonc with its required parts. */
export const WRITER = 'npm run trust -- <remote> <token>'

function renderIssue(issue: z.core.$ZodIssue, document: unknown): string {
  const [part, ...inner] = issue.path
  if (typeof part === 'string' && inner.length === 0 && !Object.hasOwn(Object(document), part))
    return `${part}: it is missing; ${WRITER} writes it`
  const why = issue.code === 'invalid_key' ? issue.issues[0]?.message : issue.message
  return `${issue.path.join('.') || 'relay configuration'}: ${why}`
}

function readClient(client: ClientCertificate, directory: string): Result<ClientCertificate, string> {
  const certificate = readPem(client.certificate, directory, 'client.certificate')
  if (!certificate.ok) return certificate
  const key = readPem(client.key, directory, 'client.key')
  if (!key.ok) return key
  try {
    const parsed = new X509Certificate(certificate.value)
    if (!parsed.checkPrivateKey(createPrivateKey(key.value))) {
      return err('client.key: it is not the key of client.certificate')
    }
  } catch (error) {
    return err(`client: certificate and key must be PEM without a passphrase (${messageOf(error)})`)
  }
  return ok({ certificate: certificate.value, key: key.value })
}

const readPem = (value: string, directory: string, path: string): Result<string, string> =>
  value.startsWith('-----BEGIN') ? ok(value) : readText(resolve(directory, value), path)

/** `path` is the setting that names the file. */
export function readText(file: string, path: string): Result<string, string> {
  try {
    return ok(readFileSync(file, 'utf8'))
  } catch (error) {
    return err(`${path}: ${file} can't be read (${messageOf(error)})`)
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
