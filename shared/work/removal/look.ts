/** Reads what the store has of an instance of which an export is held, released or removed. */
import { instanceOf, subjectKey } from '../../incus/subject.ts'
import { kindIn, placeOf, subjectIn } from '../../ledger/work.ts'
import { refOf } from '../../plan/find.ts'
import type { AnyRequest } from '../../plan/request.ts'
import { storesIn, type World } from '../../plan/world.ts'
import type { Job } from '../../relay/protocol.ts'
import { type ExportSurvey, parseSurvey } from '../export/manifest.ts'
import type { Answers, Looking } from '../kind.ts'
import { isDue, isPending } from '../life.ts'
import type { RemovalRequest } from './action.ts'
import { placeIn, REMOVAL, type RemovalWork } from './entry.ts'

const OURS: readonly string[] = ['hold-export', 'release-export', 'remove-export', 'undo-export']

const isOurs = (request: AnyRequest): request is RemovalRequest => OURS.includes(request.do)

type Asking = Omit<Looking, 'coverages'> & { world: World }

/** `instance key>store`. */
function placesOf({ world, ledger, now, request }: Asking): string[] {
  if (request !== undefined) {
    if (!isOurs(request) || !storesIn(world).includes(request.from)) return []
    const found = refOf(world, request.instance)
    return found.ok ? [placeOf(subjectKey(found.value), request.from)] : []
  }
  const due = Object.entries(ledger.work).filter(
    ([key, entry]) => kindIn(key) === REMOVAL && isPending(entry) && isDue(entry as RemovalWork, now),
  )
  return [...new Set(due.map(([key]) => placeIn(key)))].slice(0, MOST)
}

/** So many within a run: each is a list and a request or two for each export in it. */
const MOST = 20

const idOf = (place: string): string => `look ${place}`

export const lookJobs = (asking: Asking): Job[] =>
  placesOf(asking).map((place) => ({
    id: idOf(place),
    steps: [
      {
        do: 'survey-exports',
        ref: instanceOf(subjectIn(`x ${place}`)),
        store: place.slice(place.indexOf('>') + 1),
      },
    ],
  }))

/** What can't be read stays unknown: null. */
export function addLook(world: World, answers: Answers, looking: Omit<Asking, 'world'>): World {
  const surveys = placesOf({ ...looking, world }).map((place): [string, ExportSurvey | null] => {
    const report = answers.of(idOf(place))?.[0]
    return [place, report?.ok === true ? parseSurvey(report.metadata) : null]
  })
  return surveys.length === 0 ? world : { ...world, surveys: new Map([...(world.surveys ?? []), ...surveys]) }
}
