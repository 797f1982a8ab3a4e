/** The metrics of the Worker, from KV alone: no call to Incus. */
import { edgeFamilies } from '../../shared/metrics/edge.ts'
import { CONTENT_TYPES, expose, formatFor } from '../../shared/metrics/exposition.ts'
import { effectiveConfig } from '../../shared/policy/pause.ts'
import type { Known } from '../state/known.ts'
import { type Applied, verdictIn } from './status.ts'

export function answerMetrics(found: Applied, known: Known, accept: string | undefined, now: Date): Response {
  const verdict = verdictIn(found, known, now)
  const policies = found.stored === null ? [] : effectiveConfig(found.stored, now).policies
  const { ledger, facts } = known
  const format = formatFor(accept)
  const text = expose(edgeFamilies({ verdict, policies, ledger, facts, now }), format)
  return new Response(text, { headers: { 'content-type': CONTENT_TYPES[format] } })
}
