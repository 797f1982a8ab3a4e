/** A forecast in lines for people, as a plan's. */
import { minuteText } from '../minute.ts'
import { type Line, renderLines } from '../plan/line.ts'
import { shownLine } from '../plan/lines.ts'
import type { Forecast, SubjectForecast } from './forecast.ts'
import type { Counts, Removal } from './removals.ts'

/** So many instances of which nothing goes soon are shown. */
const QUIET = 20

export function renderForecast({ subjects, cut, unseen }: Forecast): string {
  const quiet = subjects.filter(isQuiet)
  const hidden = new Set(quiet.slice(QUIET))
  const lines = subjects.filter((one) => !hidden.has(one)).flatMap(linesOf)
  const text = lines.length === 0 ? 'no instance is covered\n' : renderLines(lines.map(shownLine))
  const more = `and ${hidden.size} more instances, of which nothing goes with the next slot`
  const remarks = [...(hidden.size === 0 ? [] : [more]), ...unseen, ...(cut === null ? [] : [cut])]
  return `${text}${remarks.map((one) => `${one}\n`).join('')}`
}

function linesOf({ subject, removals, braked, paced, counts }: SubjectForecast): Line[] {
  const places = new Set([
    subject,
    ...counts.flatMap((one) => one.in.map(({ of }) => of)),
    ...removals.map(({ of }) => of),
  ])
  return [
    ...removals.filter(isSoon).map(removalLine),
    ...braked.map((one) => brakedLine(subject, one)),
    ...(paced ? [{ about: subject, sign: '·', what: '', reason: PACED } as const] : []),
    ...[...places].flatMap((place) => [...laterLines(place, removals), ...countLines(place, counts)]),
  ]
}

const NAMED = 5

/** What it holds, by name, as nothing of that goes by itself. */
export function brakedLine(
  about: string,
  { at, reason, snapshots }: SubjectForecast['braked'][number],
): Line {
  const more = snapshots.length - NAMED
  const names = `${snapshots.slice(0, NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
  const held = snapshots.length === 0 ? '' : `. It holds ${names}`
  return { about, sign: '!', what: '', reason: `${minuteText(at)}: ${reason}${held}` }
}

const PACED = 'some go only on the days after, because the relay leaves half of what there was within a day'

const isQuiet = ({ removals, braked }: SubjectForecast): boolean =>
  !removals.some(isSoon) && braked.length === 0

const isSoon = ({ when }: Removal): boolean => when !== 'later'

export const WHEN = { now: 'at once', next: 'with the next slot', later: 'later' } as const

export const removalLine = ({ of, snapshot, at, when, reason }: Removal): Line => ({
  ...{ about: of, sign: '-', what: snapshot },
  reason: `${WHEN[when]}, ${minuteText(at)}: ${reason}`,
})

function laterLines(place: string, removals: readonly Removal[]): Line[] {
  const dates = removals.filter((one) => one.of === place && !isSoon(one)).map(({ at }) => at)
  const [first, last] = [dates.toSorted()[0], dates.toSorted().at(-1)]
  if (first === undefined || last === undefined) return []
  const many = dates.length === 1 ? '1 more goes' : `${dates.length} more go`
  const span = first === last ? `on ${minuteText(first)}` : `from ${minuteText(first)} to ${minuteText(last)}`
  return [{ about: place, sign: '·', what: '', reason: `of those that exist, ${many} later, ${span}` }]
}

function countLines(place: string, counts: readonly Counts[]): Line[] {
  const found = counts.flatMap((one) =>
    one.in.flatMap(({ of, snapshots, oldest }) => (of === place ? [{ at: one.at, snapshots, oldest }] : [])),
  )
  if (found.every(({ snapshots }) => snapshots === 0)) return []
  const words = found.map(({ at, snapshots, oldest }) => {
    const since = oldest === null ? '' : ` (oldest of ${oldest.slice(0, 10)})`
    return `${snapshots} on ${at.slice(0, 10)}${since}`
  })
  return [{ about: place, sign: '=', what: '', reason: `snapshots: ${words.join(', ')}` }]
}
