/**
 * Parses the applied configuration from KV as untrusted input. The document is parsed again, so that the
 * defaults of this version hold. If this version refuses it, the result of the earlier version is used.
 */
import * as z from 'zod/mini'
import type { Access } from '../access/access.ts'
import { TRANSFER_MODES } from '../incus/transfer-mode.ts'
import { isObject, type Lose, listOf, mapOf, moment, partOf, texts } from '../ledger/parts.ts'
import { channelSchema } from '../notify/parse-channel.ts'
import { PING_TYPES } from '../ping/settings.ts'
import * as field from './fields.ts'
import { fill } from './fill.ts'
import { keepSchema } from './keep-schema.ts'
import { parseConfig } from './parse.ts'
import type { Config, Pause, Policy } from './policy.ts'

export type StoredConfig = {
  /** Of the document. The ledger notes it as the configuration that it was written under. */
  version: string
  appliedAt: string
  document: unknown
  config: Config
  /** Pauses by policy, independent of the document. One that can't be read holds. */
  pauses?: Record<string, Pause>
  /** When this state began, kept by later configurations; absent: with this one. See plan/installation.ts. */
  began?: { at: string; nonce: string }
  /** As in FoundConfig: found when it is read, and never written. */
  problems?: readonly string[]
}

export type FoundConfig = {
  /** Null: there is none that could be read. */
  stored: StoredConfig | null
  /** Pauses that could be read, also where the configuration couldn't: they are kept when it is applied again. */
  pauses: Record<string, Pause>
  /** Likewise when its state began: after it is applied again, it is the same installation. */
  began?: { at: string; nonce: string }
  /** Problems of the stored configuration, with what to do. */
  problems: string[]
}

const text = z.string()
const many = z.array(text)
/** Of a span; more than a thousand years is none. */
const seconds = z.number().check(z.gte(0), z.lte(1000 * 366 * 86_400))
const expiry = z.nullable(field.expiry)

const copySchema = z.looseObject({
  remote: text,
  project: z.nullable(text),
  pool: z.nullable(text),
  // Not known to earlier versions.
  target: z._default(z.nullable(text), null),
  transferMode: z.enum(TRANSFER_MODES),
  allow: z.exactOptional(z.enum(['freeze', 'inconsistent'])),
  keep: keepSchema,
  expiry,
  mirror: z.exactOptional(z.boolean()),
  given: z.exactOptional(
    z.object({
      profiles: z.exactOptional(many),
      config: z.exactOptional(z.record(text, text)),
      devices: z.exactOptional(z.record(text, z.record(text, text))),
    }),
  ),
})

const exportSchema = z.looseObject({
  to: text,
  schedule: many,
  optimized: z.boolean(),
  check: z.nullable(seconds),
  keep: z.exactOptional(keepSchema),
})

const policySchema = z.looseObject({
  name: text,
  select: z.looseObject({
    remotes: many,
    projects: many,
    instances: many,
    types: z.array(z.enum(['container', 'virtual-machine'])),
    volumes: z.exactOptional(many),
    buckets: z.exactOptional(many),
    running: z.boolean(),
    config: texts,
    exclude: many,
  }),
  schedule: z.array(field.schedule),
  timezone: field.timezone,
  jitter: seconds,
  catchup: seconds,
  paused: z.boolean(),
  stateful: z.union([z.boolean(), z.literal('possible')]),
  together: z.exactOptional(
    z.nullable(
      z.looseObject({
        pause: seconds,
        hook: z.exactOptional(z.looseObject({ name: z.string(), otherwise: z.enum(['fail', 'pause']) })),
      }),
    ),
  ),
  keep: keepSchema,
  grace: z.exactOptional(seconds),
  expiry,
  // Not known to earlier versions.
  manual: z.exactOptional(z.looseObject({ expiry })),
  copy: z.nullable(copySchema),
  export: z.exactOptional(z.nullable(exportSchema)),
  approval: z.enum(['self', 'second']),
  promise: z.exactOptional(
    z.looseObject({
      snapshot: z.nullable(seconds),
      copy: z.nullable(seconds),
      export: z.exactOptional(z.nullable(seconds)),
    }),
  ),
  ping: z.exactOptional(
    z.nullable(
      z.looseObject({ type: z.enum(PING_TYPES), secret: z.string(), slug: z.boolean(), every: seconds }),
    ),
  ),
  brake: z.exactOptional(z.nullable(z.looseObject({ share: z.number(), number: z.number() }))),
})

const grantSchema = z.looseObject({
  who: many,
  role: z.enum(['viewer', 'operator', 'admin']),
  commands: z.nullable(many),
  instances: z.nullable(many),
})

const pauseSchema: z.ZodMiniType<Pause> = z.looseObject({
  by: text,
  at: text,
  until: z.nullable(moment),
})

const beganSchema = z.object({ at: moment, nonce: text })

const AGAIN = 'apply your stapes.jsonc again (npm run apply, or PUT /api/config)'

export function parseStored(value: unknown): FoundConfig {
  const lost: string[] = []
  const lose: Lose = (part) => {
    lost.push(part)
  }
  const known = isObject(value) ? value : {}
  const pauses = mapOf(known.pauses, 'the pause of', lose, (item, part) =>
    partOf(item, pauseSchema, `${part}, which counts as paused until then`, lose),
  )
  const refused: string[] = []
  const config = configOf(known, lose, refused)
  if (config === null) {
    const problem = `the applied configuration can't be read, so nothing is backed up and nothing expires: ${AGAIN}`
    return { stored: null, pauses, ...beganOf(known.began, lose), problems: [problem] }
  }
  const stored: StoredConfig = {
    version: partOf(known.version, text, 'its version', lose) ?? '',
    appliedAt: partOf(known.appliedAt, moment, 'when it was applied', lose) ?? new Date(0).toISOString(),
    document: known.document,
    config,
    pauses: { ...unreadIn(known.pauses, pauses), ...pauses },
    ...beganOf(known.began, lose),
  }
  const part = `a part of the applied configuration can't be read: ${lost.join('; ')}. To repair it, ${AGAIN}`
  const problems = lost.length === 0 ? refused : [...refused, part]
  return { stored: problems.length === 0 ? stored : { ...stored, problems }, pauses, problems }
}

/** A pause whose end can't be read holds: a paused policy must not start again by that. */
function unreadIn(value: unknown, sound: Readonly<Record<string, Pause>>): Record<string, Pause> {
  const names = isObject(value) ? Object.keys(value) : []
  const unread = names.filter((name) => name !== '__proto__' && !Object.hasOwn(sound, name))
  const standing: Pause = { by: 'somebody', at: new Date(0).toISOString(), until: null }
  return Object.fromEntries(unread.map((name) => [name, standing]))
}

function beganOf(value: unknown, lose: Lose): Pick<StoredConfig, 'began'> {
  const began = partOf(value, beganSchema, 'when its state began', lose)
  return began === undefined ? {} : { began }
}

function configOf(
  { document, config }: Record<string, unknown>,
  lose: Lose,
  refused: string[],
): Config | null {
  const parsed = parseConfig(document)
  if (parsed.ok) return parsed.value
  if (!isObject(config) || !Array.isArray(config.policies)) return null
  const first = parsed.error[0]?.message ?? ''
  refused.push(
    `this version rejects the applied configuration (${first}); the form that was accepted before stays in effect until you ${AGAIN}`,
  )
  const policies = listOf(config.policies, 'a policy', lose, (item, part) => policyOf(item, part, lose))
  const access = isObject(config.access) ? { access: accessOf(config.access, lose) } : {}
  const channels = listOf(config.notify, 'a channel', lose, (item, part) =>
    partOf(item, channelSchema, part, lose),
  )
  return { policies, ...access, ...(channels.length === 0 ? {} : { notify: channels }) }
}

/** Fields that are new since then get their defaults. */
function policyOf(value: unknown, part: string, lose: Lose): Policy | undefined {
  const known = partOf(value, policySchema, part, lose)
  if (known === undefined) return undefined
  const { copy } = known
  const base = fill(known.name, copy === null ? {} : { copy: { remote: copy.remote } }, {})
  return {
    ...base,
    ...known,
    select: { ...base.select, ...known.select },
    schedule: known.schedule.flat(),
    copy: copy === null || base.copy === null ? null : { ...base.copy, ...copy },
  }
}

const accessOf = ({ groups, grants }: Record<string, unknown>, lose: Lose): Access => ({
  groups: mapOf(groups, 'the group', lose, (item, part) => partOf(item, many, part, lose)),
  grants: listOf(grants, 'a grant', lose, (item, part) => partOf(item, grantSchema, part, lose)),
})
