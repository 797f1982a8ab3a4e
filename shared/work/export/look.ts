/** Looks into the stores for the exports that have not ended: only what stands there says that one was made. */
import { instanceOf } from '../../incus/subject.ts'
import type { PlanContext } from '../../plan/context.ts'
import type { World } from '../../plan/world.ts'
import type { Job } from '../../relay/protocol.ts'
import type { Answers } from '../kind.ts'
import { knownExports } from './known.ts'
import { parseRows } from './manifest.ts'

type Looking = Pick<PlanContext, 'world' | 'ledger' | 'now'>

/** One that still runs has nothing there yet. */
export const lookJobs = ({ world, ledger, now }: Looking): Job[] =>
  knownExports(world, ledger, now)
    .filter(({ isLive }) => !isLive)
    .map(({ key, entry: { store, name } }) => ({
      id: idOf(key),
      steps: [{ do: 'read-exports', ref: instanceOf(key), store, name }],
    }))

/** What can't be read stays unknown: null. */
export function addLook(world: World, answers: Answers, looking: Omit<Looking, 'world'>): World {
  const pending = knownExports(world, looking.ledger, looking.now).filter(({ isLive }) => !isLive)
  if (pending.length === 0) return world
  const exports = pending.map(({ key }) => {
    const report = answers.of(idOf(key))?.[0]
    return [key, report?.ok === true ? parseRows(report.metadata) : null] as const
  })
  return { ...world, exports: new Map(exports) }
}

const idOf = (key: string): string => `exported ${key}`
