/** The metrics of the Worker, from KV alone: no call to Incus. */
import { edgeFamilies } from '../../shared/metrics/edge.ts'
import { CONTENT_TYPES, expose, formatFor } from '../../shared/metrics/exposition.ts'
import { effectiveConfig } from '../../shared/policy/pause.ts'
import type { FoundConfig } from '../../shared/policy/stored.ts'
import type { Known } from '../state/known.ts'
import { healthOf } from './status.ts'

export function answerMetrics(
  found: Pick<FoundConfig, 'stored' | 'problems'>,
  known: Known,
  accept: string | undefined,
  now: Date,
): Response {
  const { health, promises, conditions } = healthOf(found, known, now)
  const policies = found.stored === null ? [] : effectiveConfig(found.stored, now).policies
  const { ledger, facts } = known
  const verdict = { tone: health, promises, conditions }
  const format = formatFor(accept)
  const text = expose(edgeFamilies({ verdict, policies, ledger, facts, now }), format)
  return new Response(text, { headers: { 'content-type': CONTENT_TYPES[format] } })
}
