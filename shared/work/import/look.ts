/** Asks the relay whether the import that is requested can be done: it reads the beginning of the export for that. */
import { subjectKey } from '../../incus/subject.ts'
import type { PlanContext } from '../../plan/context.ts'
import type { AnyRequest } from '../../plan/request.ts'
import type { World } from '../../plan/world.ts'
import type { Job } from '../../relay/protocol.ts'
import type { ImportCheck } from '../../relay/steps.ts'
import { refuseName, refuseServer } from '../goal.ts'
import type { Answers } from '../kind.ts'
import type { ImportRequest } from './action.ts'
import { type Goal, goalOf, refuseKind, refuseStore } from './goal.ts'

type Looking = Pick<PlanContext, 'world' | 'ledger' | 'now' | 'request'>

const isOurs = (request: AnyRequest | undefined): request is ImportRequest => request?.do === 'import'

function wantedBy({ request, world }: Looking): Goal | null {
  if (!isOurs(request)) return null
  const goal = goalOf(request, world)
  if (!goal.ok || (refuseStore(request, world) ?? refuseKind(goal.value)) !== null) return null
  const { to } = goal.value
  return (refuseServer(to, world) ?? refuseName(to, world)) ? null : goal.value
}

const idOf = ({ to }: Goal): string => `check-import ${subjectKey(to)}`

export function lookJobs(looking: Looking): Job[] {
  const wanted = wantedBy(looking)
  if (wanted === null) return []
  const { of, store, name, to, start, pool, given, key } = wanted
  const more = given === undefined ? {} : { given }
  const importing = { of, store, to, start, pool, ...more, key: key?.reveal() ?? null }
  return [{ id: idOf(wanted), steps: [{ do: 'check-import', ...importing, name }] }]
}

/** What can't be read stays unknown. */
export function addLook(world: World, answers: Answers, looking: Omit<Looking, 'world'>): World {
  const wanted = wantedBy({ ...looking, world })
  if (wanted === null) return world
  const report = answers.of(idOf(wanted))?.[0]
  const check: World['importCheck'] =
    report?.ok === true
      ? checkOf(report.metadata)
      : { error: report?.error.message ?? answers.error?.message ?? 'the relay gave no answer' }
  return { ...world, importCheck: check }
}

function checkOf(metadata: unknown): ImportCheck {
  const { refusal, warnings, export: found } = metadata as ImportCheck
  return {
    refusal: refusal === null ? null : String(refusal),
    warnings: Array.isArray(warnings) ? warnings.map(String) : [],
    export: found === null ? null : { name: String(found.name), encrypted: found.encrypted === true },
  }
}
