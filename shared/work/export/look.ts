/**
 * Looks into the stores, for the exports that have not ended and for those that policies want: only what stands there says
 * that one was made.
 */
import { instanceOf } from '../../incus/subject.ts'
import { placeOf } from '../../ledger/work.ts'
import type { SeenExports, World } from '../../plan/world.ts'
import type { Policy } from '../../policy/policy.ts'
import type { Job } from '../../relay/protocol.ts'
import type { Answers, Looking } from '../kind.ts'
import { toLookFor } from './due.ts'
import { knownExports } from './known.ts'
import { parseRows } from './manifest.ts'

/** `name` null: the newest one. */
type Place = { key: string; store: string; name: string | null }

/** One that still runs has nothing there yet. What policies want is none of a request's business. */
function placesOf({ world, ledger, facts, now, request, coverages }: Looking & { world: World }): Place[] {
  const pending = knownExports(world, ledger, now).filter(({ isLive }) => !isLive)
  const wanted =
    request === undefined ? toLookFor({ coverages: coverages(exportsSome), world, ledger, facts, now }) : []
  return [
    ...pending.map(({ key, entry: { store, name } }) => ({ key, store, name })),
    ...wanted.map(({ covered: { key }, export: { to } }) => ({ key, store: to, name: null })),
  ]
}

const exportsSome = (policy: Policy): boolean => policy.export != null

export const lookJobs = (looking: Looking & { world: World }): Job[] =>
  placesOf(looking).map((place) => ({
    id: idOf(place),
    steps: [
      {
        ...{ do: 'read-exports', ref: instanceOf(place.key), store: place.store, name: place.name },
        ...(place.name === null ? { newest: true as const } : {}),
      },
    ],
  }))

/** What can't be read stays unknown: null. */
export function addLook(world: World, answers: Answers, looking: Looking): World {
  const exports = placesOf({ ...looking, world }).map((place): [string, SeenExports] => {
    const report = answers.of(idOf(place))?.[0]
    const rows = report?.ok === true ? parseRows(report.metadata) : null
    return [placeOf(place.key, place.store), { name: place.name, rows }]
  })
  return exports.length === 0 ? world : { ...world, exports: new Map(exports) }
}

const idOf = ({ key, store }: Place): string => `exported ${placeOf(key, store)}`
