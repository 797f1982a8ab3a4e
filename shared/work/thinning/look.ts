/** Reads all that a store has of those instances whose exports may have to go. */
import type { World } from '../../plan/world.ts'
import type { Policy } from '../../policy/policy.ts'
import type { Job } from '../../relay/protocol.ts'
import { type ExportSurvey, parseSurvey } from '../export/manifest.ts'
import type { Answers, Looking } from '../kind.ts'
import { placeIn, toSurvey } from './due.ts'

type Place = { id: string; place: string; job: Job }

function placesOf({ world, ledger, facts, now, request, coverages }: Looking & { world: World }): Place[] {
  const wanted = toSurvey({ coverages: coverages(exportsSome), world, ledger, facts, now, request })
  return wanted.map((one) => {
    const place = placeIn(one)
    const { covered, export: wish } = one
    const id = `survey ${place}`
    return {
      ...{ id, place },
      job: { id, steps: [{ do: 'survey-exports', ref: covered.ref, store: wish.to }] },
    }
  })
}

const exportsSome = ({ export: wish }: Policy): boolean => wish != null

export const lookJobs = (looking: Looking & { world: World }): Job[] =>
  placesOf(looking).map(({ job }) => job)

/** What can't be read stays unknown: null. */
export function addLook(world: World, answers: Answers, looking: Looking): World {
  const surveys = placesOf({ ...looking, world }).map(({ id, place }): [string, ExportSurvey | null] => {
    const report = answers.of(id)?.[0]
    return [place, report?.ok === true ? parseSurvey(report.metadata) : null]
  })
  return surveys.length === 0 ? world : { ...world, surveys: new Map([...(world.surveys ?? []), ...surveys]) }
}
