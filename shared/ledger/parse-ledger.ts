/**
 * Parses the ledger from KV as untrusted input: an older version, a newer one or a person may have written it.
 * Losing a part costs work and never data, because Incus is the truth.
 */

import * as z from 'zod/mini'
import { own } from '../own.ts'
import { LONG_KINDS, longOf } from '../work/verbs.ts'
import type {
  Attempt,
  FreezeLedger,
  Ledger,
  OpenSlot,
  OwnLedger,
  PolicyLedger,
  RunRecord,
  SightLedger,
  SlotRecord,
} from './ledger.ts'
import { emptyLedger } from './ledger.ts'
import { count, isObject, type Lose, listOf, mapOf, moment, partOf, texts } from './parts.ts'
import { placeOf, targetIn, type Work, workKey, workShape } from './work.ts'

const may = z.exactOptional
const text = z.string()

const slotSchema: z.ZodMiniType<SlotRecord> = z.looseObject({
  slot: moment,
  outcome: z.enum(['served', 'skipped', 'missed', 'failed']),
  reason: may(text),
  served: may(count),
  failures: may(z.array(z.looseObject({ instance: text, reason: text }))),
  paused: may(z.record(z.string(), count)),
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

const freezeSchema: z.ZodMiniType<FreezeLedger> = z.looseObject({
  work: text,
  at: moment,
  tries: may(count),
  reason: may(text),
})

const sightSchema: z.ZodMiniType<SightLedger> = z.looseObject({
  covered: texts,
  gone: may(z.record(z.string(), moment)),
  problems: may(z.array(text)),
  roles: may(z.array(text)),
  warnings: may(z.array(text)),
  braked: may(texts),
  stalled: may(z.record(text, moment)),
  allowed: may(texts),
})

const ownSchema: z.ZodMiniType<OwnLedger> = z.looseObject({
  upTo: moment,
  subjects: z.record(
    text,
    z.looseObject({
      ...{ schedule: text, since: moment, upTo: may(moment), missed: may(moment) },
      dead: may(z.array(text)),
    }),
  ),
  zone: may(z.number()),
  slots: z.array(slotSchema),
})

const runSchema: z.ZodMiniType<RunRecord> = z.looseObject({
  at: moment,
  trigger: text,
  counts: z.record(z.string(), count),
  listed: may(z.record(z.string(), z.array(text))),
  problems: z.array(text),
})

/** The rest of a policy's entry is useless without this. */
const policySchema = z.looseObject({ accounted: moment })

/** `lost`: the parts that could not be read, each once. */
export type Found = { ledger: Ledger | null; lost: string[] }

/** `ledger` null: the value is no ledger. */
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
  const frozen = mapOf(value.frozen, 'what may be frozen of', lose, read(freezeSchema))
  const incus = mapOf(value.incus, "Incus's own slots on", lose, read(ownSchema))
  const sight = partOf(upgradeSight(value.sight), sightSchema, 'what was covered', lose)
  const written = partOf(value.written, moment, 'when it was written', lose)
  const woken = partOf(value.woken, moment, 'when it was woken', lose)
  const ledger: Ledger = {
    config: partOf(value.config, text, 'its configuration', lose) ?? empty.config,
    wakeAt: partOf(value.wakeAt, moment, 'when something is due', lose) ?? empty.wakeAt,
    ...(written === undefined ? {} : { written }),
    ...(woken === undefined ? {} : { woken }),
    policies: mapOf(value.policies, 'the slots of policy', lose, (item, part) => policyOf(item, part, lose)),
    work: workOf(value, lose),
    ...(Object.keys(frozen).length === 0 ? {} : { frozen }),
    ...(sight === undefined ? {} : { sight }),
    ...(Object.keys(incus).length === 0 ? {} : { incus }),
    runs: listOf(value.runs, 'a past run', lose, (item, part) => read(runSchema)(upgradeRun(item), part)),
  }
  return { ledger, lost: [...lost] }
}

/** Each kind parses its own entries. An entry of an unknown kind comes from a later version and is kept. */
function workOf(value: Record<string, unknown>, lose: Lose): Record<string, Work> {
  const all = mapOf(value.work, 'the work', lose, (item, part) => ({ item, part }))
  const former = LONG_KINDS.flatMap(({ name, long }) => formerWork(value, name, long.noun.several, lose))
  const entries = [...former, ...Object.entries(all)].flatMap(([key, { item, part }]): [string, Work][] => {
    const entry = partOf(item, longOf(key)?.schema ?? anySchema, part, lose)
    return entry === undefined ? [] : [[key, entry]]
  })
  const placed = entries.map(([key, entry]): [string, Work] => [placedKey(key, entry), entry])
  // What this version has written counts.
  return {
    ...Object.fromEntries(placed),
    ...Object.fromEntries(entries.filter(([key], at) => key === placed[at]?.[0])),
  }
}

/** Earlier versions had one entry of an instance for all stores. */
function placedKey(key: string, entry: Work): string {
  const store = targetIn(key) === '' ? longOf(key)?.placed?.(entry) : undefined
  return store === undefined ? key : placeOf(key, store)
}

/** Earlier versions had one map for each kind, by the key of its subject. */
const formerWork = (value: Record<string, unknown>, name: string, place: string, lose: Lose) =>
  Object.entries(mapOf(own(value, place), `the ${name} of`, lose, (item, part) => ({ item, part }))).map(
    ([key, found]) => [workKey(name, key), found] as const,
  )

const anySchema: z.ZodMiniType<Work> = z.looseObject(workShape)

/** Earlier versions called its problems "told". */
function upgradeSight(item: unknown): unknown {
  if (!isObject(item) || item.told === undefined) return item
  const { told, ...rest } = item
  return { problems: told, ...rest }
}

/** Earlier versions had the counts among the other fields. */
function upgradeRun(item: unknown): unknown {
  if (!isObject(item) || item.counts !== undefined) return item
  const { at, trigger, problems, thawed, ...counts } = item
  return { at, trigger, problems, counts, ...(thawed === undefined ? {} : { listed: { thawed } }) }
}

function policyOf(value: unknown, part: string, lose: Lose): PolicyLedger | undefined {
  const read = partOf(value, policySchema, part, lose)
  if (read === undefined) return undefined
  const { doubtful, ...known } = read
  const { since, when, paused, owing, open, partial, slots } = known
  const owed = listOf(owing, `${part}: who is owed a first snapshot`, lose, (item, where) =>
    partOf(item, text, where, lose),
  )
  const serving = open == null ? null : openOf(open, `${part}: the one being served`, lose)
  const tries = (list: unknown) =>
    listOf(list, `${part}: a try`, lose, (item, where) => partOf(item, text, where, lose))
  // Earlier versions called it "doubtful". After a rollback to one of them both are there, and both count.
  const unseen = [...new Set([...tries(partial), ...tries(doubtful)])]
  const sound: { [Key in keyof PolicyLedger]: PolicyLedger[Key] | undefined } = {
    ...known,
    // A slot that can't be read is walked again.
    accounted: serving === undefined ? momentBefore(known.accounted) : known.accounted,
    since: partOf(since, moment, `${part}: since when`, lose),
    when: partOf(when, text, `${part}: their schedule`, lose),
    paused: partOf(paused, z.literal(true), `${part}: whether it was paused`, lose),
    owing: owed.length === 0 ? undefined : owed,
    open: serving ?? null,
    partial: unseen.length === 0 ? undefined : unseen,
    slots: listOf(slots, `${part}: a record`, lose, (item, where) => partOf(item, slotSchema, where, lose)),
  }
  return Object.fromEntries(Object.entries(sound).filter(([, said]) => said !== undefined)) as PolicyLedger
}

const momentBefore = (moment: string): string => new Date(Date.parse(moment) - 1).toISOString()

function openOf(value: unknown, part: string, lose: Lose): OpenSlot | undefined {
  const known = partOf(value, z.looseObject({ slot: moment, first: may(z.literal(true)) }), part, lose)
  if (known === undefined) return undefined
  const { attempts, made, paused, remarks, ...rest } = known
  const read = (item: unknown, where: string) => partOf(item, attemptSchema, where, lose)
  const done = mapOf(made, `${part}: the snapshot of`, lose, (item, where) => partOf(item, text, where, lose))
  const stood = mapOf(paused, `${part}: the pause of`, lose, (item, where) =>
    partOf(item, count, where, lose),
  )
  const said =
    remarks === undefined ? undefined : partOf(remarks, z.array(text), `${part}: its remarks`, lose)
  const kept = {
    ...(said === undefined ? {} : { remarks: said }),
    ...(Object.keys(done).length === 0 ? {} : { made: done }),
    ...(Object.keys(stood).length === 0 ? {} : { paused: stood }),
  }
  return { ...rest, ...kept, attempts: mapOf(attempts, `${part}: the try of`, lose, read) }
}

/** For people; null when nothing was lost. */
export function lossOf(lost: readonly string[]): string | null {
  if (lost.length === 0) return null
  const more = lost.length > NAMED ? ` and ${lost.length - NAMED} more` : ''
  const parts = lost.slice(0, NAMED).join('; ')
  return `a part of the state in KV could not be read: ${parts}${more}. stapes rebuilds it from Incus; the history that only KV had is lost`
}

const NAMED = 10
