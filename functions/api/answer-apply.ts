/** `PUT /api/config`. The configuration includes the grants, so applying it is audited like every other change. */
import type { Context } from 'hono'
import { type AuditRecord, writtenBy } from '../../shared/access/audit.ts'
import type { App } from '../env.ts'
import { closeAudit, writeAudit } from '../state/audit.ts'
import { applyConfig } from './apply.ts'
import { readJson } from './body.ts'
import { callerOf, requestId } from './caller.ts'
import { answerProblem } from './problem.ts'

export async function answerApply(context: Context<App>, now: Date): Promise<Response> {
  const document = await readJson(context)
  if (!document.ok) return answerProblem(context, document.error)
  const { STATE: kv } = context.env
  let record: AuditRecord | null = null
  const begins = async (version: string): Promise<void> => {
    const what = `apply ${version}`
    record = { id: requestId(), at: now.toISOString(), ...writtenBy(callerOf(context)), what }
    await writeAudit(kv, record)
  }
  const dryRun = context.req.query('dryRun') === 'true'
  const applied = await applyConfig(document.value, context.get('io'), now, dryRun, begins)
  if (!applied.ok) return answerProblem(context, applied.error)
  if (record === null) return context.json(applied.value)
  const outcome = { state: 'done' as const, text: 'applied', at: now.toISOString() }
  const unrecorded = await closeAudit({ record, written: true }, outcome, kv)
  return context.json({ ...applied.value, warnings: [...applied.value.warnings, ...unrecorded] })
}
