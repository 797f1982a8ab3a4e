/**
 * The ledger as KV holds it, read as foreign input: an older version, a newer one or a hand may have
 * written it. Losing a part costs work and never data, for Incus is the truth.
 */
import * as z from 'zod/mini'
import type {
  Attempt,
  CopyLedger,
  FreezeLedger,
  Ledger,
  OpenSlot,
  PolicyLedger,
  RestoreLedger,
  RunRecord,
  SightLedger,
  SlotRecord,
} from './ledger.ts'
import { emptyLedger } from './ledger.ts'
import { count, isObject, type Lose, listOf, mapOf, moment, partOf, texts } from './parts.ts'

const may = z.exactOptional
const text = z.string()

const slotSchema: z.ZodMiniType<SlotRecord> = z.looseObject({
  slot: moment,
  outcome: z.enum(['served', 'skipped', 'missed', 'failed']),
  reason: may(text),
  served: may(count),
  failures: may(z.array(z.looseObject({ instance: text, reason: text }))),
  through: may(moment),
  count: may(count),
})

const attemptSchema: z.ZodMiniType<Attempt> = z.looseObject({
  count,
  reason: text,
  retryAt: may(moment),
  unseen: may(z.literal(true)),
  name: may(text),
})

const memoSchema = z.looseObject({
  through: z.number(),
  extended: texts,
  stale: may(z.array(text)),
  freezes: may(z.literal(true)),
})

/** A field that is new in CopyLedger belongs here as well; until then it is kept unseen. */
const copySchema: z.ZodMiniType<CopyLedger> = z.looseObject({
  state: z.enum(['started', 'running', 'verified', 'failed', 'unknown']),
  job: may(text),
  remote: may(text),
  operation: may(text),
  memo: may(memoSchema),
  attempts: count,
  reason: may(text),
  retryAt: may(moment),
  newest: may(text),
  took: may(z.number()),
  verified: may(text),
  putOff: may(z.object({ snapshot: text, own: moment, until: moment })),
  at: moment,
})

const restoreSchema: z.ZodMiniType<RestoreLedger> = z.looseObject({
  state: z.enum(['started', 'running', 'done', 'failed']),
  snapshot: text,
  safety: text,
  whole: may(z.literal(true)),
  running: z.boolean(),
  holds: texts,
  expiresAt: may(text),
  job: text,
  stateful: may(z.literal(true)),
  attempts: count,
  marking: may(count),
  touched: may(z.literal(true)),
  refused: may(z.literal(true)),
  starts: may(count),
  reason: may(text),
  retryAt: may(moment),
  at: moment,
})

const freezeSchema: z.ZodMiniType<FreezeLedger> = z.looseObject({
  work: text,
  at: moment,
  tries: may(count),
  reason: may(text),
})

const sightSchema: z.ZodMiniType<SightLedger> = z.looseObject({
  covered: texts,
  gone: may(z.record(z.string(), moment)),
  told: may(z.array(text)),
})

const runSchema: z.ZodMiniType<RunRecord> = z.looseObject({
  at: moment,
  trigger: text,
  taken: count,
  expired: count,
  copiesStarted: count,
  verified: count,
  problems: z.array(text),
  thawed: may(z.array(text)),
})

/** The rest of a policy's notes means nothing without this. */
const policySchema = z.looseObject({ accounted: moment })

/** `lost`: the parts that could not be read, each once. */
export type Found = { ledger: Ledger | null; lost: string[] }

/** Null: there is nothing of a ledger in it. */
export function parseLedger(value: unknown): Found {
  const lost = new Set<string>()
  const lose: Lose = (part) => {
    lost.add(part)
  }
  if (!isObject(value)) return { ledger: null, lost: ['all of it'] }
  const empty = emptyLedger('')
  const read =
    <Schema extends z.ZodMiniType>(schema: Schema) =>
    (item: unknown, part: string) =>
      partOf(item, schema, part, lose)
  const restores = mapOf(value.restores, 'the restore of', lose, read(restoreSchema))
  const frozen = mapOf(value.frozen, 'what may be frozen of', lose, read(freezeSchema))
  const sight = partOf(value.sight, sightSchema, 'what was covered', lose)
  const written = partOf(value.written, moment, 'when it was written', lose)
  const woken = partOf(value.woken, moment, 'when it was woken', lose)
  const ledger: Ledger = {
    config: partOf(value.config, text, 'its configuration', lose) ?? empty.config,
    wakeAt: partOf(value.wakeAt, moment, 'when something is due', lose) ?? empty.wakeAt,
    ...(written === undefined ? {} : { written }),
    ...(woken === undefined ? {} : { woken }),
    policies: mapOf(value.policies, 'the slots of policy', lose, (item, part) => policyOf(item, part, lose)),
    copies: mapOf(value.copies, 'the copy', lose, read(copySchema)),
    ...(Object.keys(restores).length === 0 ? {} : { restores }),
    ...(Object.keys(frozen).length === 0 ? {} : { frozen }),
    ...(sight === undefined ? {} : { sight }),
    runs: listOf(value.runs, 'a past run', lose, read(runSchema)),
  }
  return { ledger, lost: [...lost] }
}

function policyOf(value: unknown, part: string, lose: Lose): PolicyLedger | undefined {
  const known = partOf(value, policySchema, part, lose)
  if (known === undefined) return undefined
  const { since, when, paused, owing, open, doubtful, slots } = known
  const owed = listOf(owing, `${part}: who is owed a first snapshot`, lose, (item, where) =>
    partOf(item, text, where, lose),
  )
  const serving = open == null ? null : openOf(open, `${part}: the one being served`, lose)
  const unseen = listOf(doubtful, `${part}: a try`, lose, (item, where) => partOf(item, text, where, lose))
  const sound: { [Key in keyof PolicyLedger]: PolicyLedger[Key] | undefined } = {
    ...known,
    // A slot that can't be read is walked again.
    accounted: serving === undefined ? momentBefore(known.accounted) : known.accounted,
    since: partOf(since, moment, `${part}: since when`, lose),
    when: partOf(when, text, `${part}: their schedule`, lose),
    paused: partOf(paused, z.literal(true), `${part}: whether it was paused`, lose),
    owing: owed.length === 0 ? undefined : owed,
    open: serving ?? null,
    doubtful: unseen.length === 0 ? undefined : unseen,
    slots: listOf(slots, `${part}: a record`, lose, (item, where) => partOf(item, slotSchema, where, lose)),
  }
  return Object.fromEntries(Object.entries(sound).filter(([, said]) => said !== undefined)) as PolicyLedger
}

const momentBefore = (moment: string): string => new Date(Date.parse(moment) - 1).toISOString()

function openOf(value: unknown, part: string, lose: Lose): OpenSlot | undefined {
  const known = partOf(value, z.looseObject({ slot: moment, first: may(z.literal(true)) }), part, lose)
  if (known === undefined) return undefined
  const { attempts, made, ...rest } = known
  const read = (item: unknown, where: string) => partOf(item, attemptSchema, where, lose)
  const done = mapOf(made, `${part}: the snapshot of`, lose, (item, where) => partOf(item, text, where, lose))
  const kept = Object.keys(done).length === 0 ? {} : { made: done }
  return { ...rest, ...kept, attempts: mapOf(attempts, `${part}: the try of`, lose, read) }
}

/** For people; null when nothing was lost. */
export function lossOf(lost: readonly string[]): string | null {
  if (lost.length === 0) return null
  const more = lost.length > NAMED ? ` and ${lost.length - NAMED} more` : ''
  const parts = lost.slice(0, NAMED).join('; ')
  return `a part of what was noted in KV could not be read: ${parts}${more}. It is made again from Incus; what it alone knew of the past is gone`
}

const NAMED = 10
