/** Asks the relay whether the new instance that is requested can be made, which no listing tells. */

import { subjectKey } from '../../incus/subject.ts'
import type { PlanContext } from '../../plan/context.ts'
import type { AnyRequest } from '../../plan/request.ts'
import type { World } from '../../plan/world.ts'
import type { Job } from '../../relay/protocol.ts'
import type { CloneCheck } from '../../relay/steps.ts'
import type { Answers } from '../kind.ts'
import type { BringBackRequest, CloneRequest, MoveRequest } from './action.ts'
import { wantedOfMove } from './move.ts'
import { placeOf, refusePlace, type Wanted } from './place.ts'

type Looking = Pick<PlanContext, 'world' | 'ledger' | 'now' | 'request'>

const isOurs = (request: AnyRequest | undefined): request is CloneRequest | BringBackRequest =>
  request?.do === 'clone' || request?.do === 'bring-back'

const isMove = (request: AnyRequest | undefined): request is MoveRequest => request?.do === 'move'

const wantedBy = ({ request, ...known }: Looking): Wanted | null => {
  const wanted = isOurs(request)
    ? placeOf(request, known)
    : isMove(request)
      ? wantedOfMove(request, known)
      : null
  return wanted?.ok === true && refusePlace(wanted.value, known.world) === null ? wanted.value : null
}

const idOf = ({ to }: Wanted): string => `check-clone ${subjectKey(to)}`

export function lookJobs(looking: Looking): Job[] {
  const wanted = wantedBy(looking)
  if (wanted === null) return []
  const { from, snapshot, to, whole, start, pool } = wanted
  const cloning = { from, snapshot, to, whole, start, pool, transferMode: 'pull' } as const
  return [{ id: idOf(wanted), steps: [{ do: 'check-clone', ...cloning }] }]
}

/** What can't be read stays unknown. */
export function addLook(world: World, answers: Answers, looking: Omit<Looking, 'world'>): World {
  const wanted = wantedBy({ ...looking, world })
  if (wanted === null) return world
  const report = answers.of(idOf(wanted))?.[0]
  const check: World['cloneCheck'] =
    report?.ok === true
      ? checkOf(report.metadata)
      : { error: report?.error.message ?? answers.error?.message ?? 'the relay gave no answer' }
  return { ...world, cloneCheck: check }
}

function checkOf(metadata: unknown): CloneCheck {
  const { refusal, warnings } = metadata as CloneCheck
  return {
    refusal: refusal === null ? null : String(refusal),
    warnings: Array.isArray(warnings) ? warnings.map(String) : [],
  }
}
