/**
 * The audit records of requested changes. Each has a key of its own, newest first in KV's order, and its
 * outcome another: no key is written twice, so KV's limit of one write a second for each key loses nothing.
 */
import * as z from 'zod/mini'
import type { AuditOutcome, AuditRecord } from '../../shared/access/audit.ts'
import { moment } from '../../shared/ledger/parts.ts'
import { readJson } from './foreign.ts'
import { attemptWrite } from './unwritten.ts'

export type AuditStore = Pick<KVNamespace, 'get' | 'put' | 'list'>

const PREFIX = 'audit:'
const END = ':end'
/** A year and a month. */
const KEPT = { expirationTtl: 396 * 86_400 }
/** Milliseconds have 13 digits until the year 2286. */
const LAST_INSTANT = 9_999_999_999_999

const keyOf = ({ id, at }: Pick<AuditRecord, 'id' | 'at'>): string =>
  `${PREFIX}${String(LAST_INSTANT - new Date(at).getTime()).padStart(13, '0')}:${id}`

/** Throws when it can't be written: then the change must not happen, unless another place takes the record. */
export const writeAudit = (kv: AuditStore, record: AuditRecord): Promise<void> =>
  kv.put(keyOf(record), JSON.stringify(record), KEPT)

export const endAudit = (
  kv: AuditStore,
  record: Pick<AuditRecord, 'id' | 'at'>,
  outcome: AuditOutcome,
): Promise<void> => kv.put(`${keyOf(record)}${END}`, JSON.stringify(outcome), KEPT)

/** A change whose record KV has, or only the relay's log. */
export type Audit = { record: AuditRecord; written: boolean }

/** Where KV doesn't take the record, the caller has to give it to the relay, or not to make the change. */
export async function beginAudit(record: AuditRecord, kv: AuditStore): Promise<Audit> {
  const why = await attemptWrite('the record of a change', () => writeAudit(kv, record), record)
  return { record, written: why === null }
}

/** Tries again what KV didn't take; what it still doesn't take is told. */
export async function closeAudit(
  { record, written }: Audit,
  outcome: AuditOutcome,
  kv: AuditStore,
): Promise<string[]> {
  const late = written ? null : await attemptWrite('the record of a change', () => writeAudit(kv, record))
  if (late !== null)
    return [
      `KV did not take the record of this change, so the history lacks it; the relay's log has it, and the Worker's: ${late}`,
    ]
  const { id, at } = record
  const why = await attemptWrite('the outcome of a change', () => endAudit(kv, record, outcome), {
    record: { id, at },
    outcome,
  })
  return why === null ? [] : [`KV did not take the outcome of this change, so the history lacks it: ${why}`]
}

/** The newest, newest first. Two calls to KV. */
export async function readHistory(kv: AuditStore, count: number): Promise<AuditRecord[]> {
  const { keys } = await kv.list({ prefix: PREFIX, limit: Math.min(100, count * 2) })
  const names = keys.map(({ name }) => name)
  if (names.length === 0) return []
  const values = await kv.get(names)
  return names
    .filter((name) => !name.endsWith(END))
    .slice(0, count)
    .flatMap((name) => {
      const text = values.get(name)
      if (text == null) return []
      return [withOutcome(readJson(text, recordSchema) ?? unreadable(name), values.get(`${name}${END}`))]
    })
}

function withOutcome(record: AuditRecord, text: string | null | undefined): AuditRecord {
  const outcome = text == null ? null : readJson(text, outcomeSchema)
  return outcome === null ? record : { ...record, outcome }
}

const text = z.string()

const outcomeSchema: z.ZodMiniType<AuditOutcome> = z.looseObject({
  state: z.enum(['done', 'started', 'refused', 'failed', 'unknown']),
  text,
  at: moment,
})

const recordSchema: z.ZodMiniType<AuditRecord> = z.looseObject({
  id: text,
  at: moment,
  who: text,
  name: text,
  from: text,
  askedBy: z.exactOptional(text),
  what: text,
  instances: z.exactOptional(z.array(text)),
  plan: z.exactOptional(text),
})

/** For a record that can't be read: its key shows that there was a request, and when. */
function unreadable(key: string): AuditRecord {
  const [, inverted = '', id = ''] = key.split(':')
  const ms = LAST_INSTANT - Number(inverted)
  const at = new Date(Number.isFinite(ms) && ms > 0 ? ms : 0).toISOString()
  return { id, at, who: '', name: 'somebody', from: '', what: 'an unreadable record' }
}
