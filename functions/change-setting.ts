/** A change of stapes's own state that somebody requests, by chat or over the API: a pause, or its end. */
import { type AuditRecord, writtenBy } from '../shared/access/audit.ts'
import type { Actor } from '../shared/chat/actor.ts'
import type { Message } from '../shared/chat/message.ts'
import { settingMessage } from '../shared/chat/result-message.ts'
import type { PauseChange, SettingCommand, Values } from '../shared/command/command.ts'
import { err, ok, type Result } from '../shared/result.ts'
import { type AuditStore, closeAudit, writeAudit } from './state/audit.ts'
import type { StoredConfig } from './state/config.ts'
import type { State } from './state/ledger.ts'
import { changePause } from './state/pauses.ts'
import { reportUnwritten } from './state/unwritten.ts'

type SettingRequest = {
  command: SettingCommand
  values: Values
  /** As one would type it. */
  line: string
  actor: Actor
  /** Of its audit record. */
  id: string
  at: Date
}

type Stores = { state: State; kv: AuditStore; now: () => Date }

export async function changeSetting(
  { command, values, line, actor, id, at }: SettingRequest,
  stores: Stores,
): Promise<Result<Message, string>> {
  const wanted = command.change(values, actor.name, at)
  if (!wanted.ok) return wanted
  const record = { id, at: at.toISOString(), ...writtenBy(actor), what: line }
  const changed = await changeRecorded(wanted.value, record, stores)
  return changed.ok ? ok(settingMessage(wanted.value, actor)) : changed
}

/** The change itself is in KV too, so without its record it isn't made either. */
async function changeRecorded(
  change: PauseChange,
  record: AuditRecord,
  { state, kv, now }: Stores,
): Promise<Result<StoredConfig, string>> {
  let changed: Result<StoredConfig, string>
  try {
    await writeAudit(kv, record)
    changed = await changePause(change, state, now())
  } catch (cause) {
    reportUnwritten('a pause', cause, record)
    return err(
      `KV did not take it, so nothing was changed: ${String(cause)}. Has the plan's allowance of the day been used up? It begins anew at midnight UTC. user.stapes.paused=true on an instance pauses it without KV`,
    )
  }
  const outcome = changed.ok
    ? { state: 'done' as const, text: 'done' }
    : { state: 'refused' as const, text: changed.error }
  await closeAudit({ record, written: true }, { ...outcome, at: now().toISOString() }, kv)
  return changed
}
