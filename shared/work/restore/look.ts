/** Reads what restores need and no listing has, from single instances; mostly nothing. */
import type { InstanceRef } from '../../incus/subject.ts'
import type { PlanContext } from '../../plan/context.ts'
import { findSubject } from '../../plan/find.ts'
import type { AnyRequest } from '../../plan/request.ts'
import type { SafetyConfig, World } from '../../plan/world.ts'
import type { Job, StepReport } from '../../relay/protocol.ts'
import type { Answers } from '../kind.ts'
import type { RestoreRequest } from './action.ts'
import { safetiesLeft } from './lost.ts'

type Looking = Pick<PlanContext, 'world' | 'ledger' | 'now' | 'request'>

export function lookJobs({ world, ledger, now, request }: Looking): Job[] {
  const memory = memoryOf(world, request)
  const left = safetiesLeft(world, ledger, now)
  return [
    ...(memory === null ? [] : [listJob('memory', memory.key, memory.ref)]),
    ...left.map(({ key, ref }) => listJob('safety', key, ref)),
  ]
}

/** What can't be read stays unknown: null for a safety snapshot. */
export function addLook(world: World, answers: Answers, looking: Omit<Looking, 'world'>): World {
  const memory = memoryOf(world, looking.request)
  const row = memory === null ? undefined : rowIn(answers.of(idOf('memory', memory.key)), memory.snapshot)
  const left = safetiesLeft(world, looking.ledger, looking.now)
  const safeties = left.map(
    ({ key, safety }) => [key, configOf(rowIn(answers.of(idOf('safety', key)), safety), safety)] as const,
  )
  return {
    ...world,
    ...(memory !== null && typeof row?.stateful === 'boolean'
      ? { memories: new Map([[`${memory.key}/${memory.snapshot}`, row.stateful]]) }
      : {}),
    ...(left.length === 0 ? {} : { safeties: new Map(safeties) }),
  }
}

/** The snapshot that is to be restored with its memory; null: none. */
function memoryOf(
  world: World,
  requested: AnyRequest | undefined,
): { key: string; ref: InstanceRef; snapshot: string } | null {
  if (requested?.do !== 'restore') return null
  const { instance, snapshot, stateful = false } = requested as RestoreRequest
  const found = stateful ? findSubject(world, instance) : null
  return found?.ok === true ? { key: found.value.key, ref: found.value.ref, snapshot } : null
}

const idOf = (what: 'memory' | 'safety', key: string): string => `${what} ${key}`

const listJob = (what: 'memory' | 'safety', key: string, ref: InstanceRef): Job => ({
  id: idOf(what, key),
  steps: [{ do: 'read-snapshots', ref }],
})

function rowIn(reports: readonly StepReport[] | null, name: string): Record<string, unknown> | undefined {
  const report = reports?.[0]
  const rows: unknown = report?.ok === true ? report.metadata : null
  return (Array.isArray(rows) ? rows : []).find((one) => one?.name === name)
}

function configOf(row: Record<string, unknown> | undefined, safety: string): SafetyConfig | null {
  const config = row?.config
  if (typeof config !== 'object' || config === null) return null
  const texts = Object.entries(config).filter((one): one is [string, string] => typeof one[1] === 'string')
  return { safety, config: Object.fromEntries(texts) }
}
