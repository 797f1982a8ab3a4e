/** What the API's body asks for, as the engine takes it. */
import type * as z from 'zod/mini'
import type { Ask } from '../../shared/plan/ask.ts'
import { err, ok, type Result } from '../../shared/result.ts'
import type { Problem } from './problem.ts'
import type { asking } from './requests.ts'

type Body = z.output<typeof asking>

const REASON = 'asked for over the API'

/** Null: the schedule's own tick. Names of instances or policies alone ask for a snapshot. */
export function wishOf(body: Body): Result<Ask | null, Problem> {
  const { policies, instances } = body
  const wanted = body.do ?? (policies === undefined && instances === undefined ? undefined : 'snapshot')
  if (wanted === undefined) return ok(null)
  const scope = { policies, instances, reason: REASON }
  switch (wanted) {
    case 'snapshot':
    case 'copy':
      return ok({ do: wanted, ...scope })
    case 'expire':
      return ok({ do: wanted, snapshots: body.snapshots, ...scope })
    default:
      return one(wanted, body)
  }
}

/** What is about one snapshot of one instance. */
function one(
  wanted: 'restore' | 'hold' | 'release',
  { instance, snapshot, note, stateful }: Body,
): Result<Ask, Problem> {
  if (instance === undefined || snapshot === undefined)
    return err({ status: 422, title: 'Not as expected', detail: `${wanted} needs "instance" and "snapshot"` })
  const of = { instance, snapshot, reason: REASON }
  if (wanted === 'hold') return ok({ do: wanted, note: note ?? REASON, ...of })
  return ok({ do: wanted, ...of, ...(wanted === 'restore' && stateful === true ? { stateful } : {}) })
}
