/** What another configuration would change: snapshots that go, go sooner, or stay, and how many there are later. */
import { minuteText } from '../minute.ts'
import type { Line } from '../plan/line.ts'
import { shownLine } from '../plan/lines.ts'
import type { Forecast, SubjectForecast } from './forecast.ts'
import type { Removal } from './removals.ts'
import { brakedLine, removalLine } from './text.ts'

/** Empty: as far as both were simulated, nothing differs. */
export function differenceOf(before: Forecast, after: Forecast): Line[] {
  const known = new Map(before.subjects.map((one) => [one.subject, one]))
  const now = new Map(after.subjects.map((one) => [one.subject, one]))
  return [...new Set([...known.keys(), ...now.keys()])].sort().flatMap((subject) => {
    const [old, young] = [known.get(subject) ?? NOTHING, now.get(subject) ?? NOTHING]
    return [...brakedIn(subject, old, young), ...removalsOf(old, young), ...countsOf(old, young)].map(
      shownLine,
    )
  })
}

type Part = Pick<SubjectForecast, 'until' | 'removals' | 'braked' | 'counts'>

/** Of what only one of them has, nothing is simulated. */
const NOTHING: Part = { until: '9999', removals: [], braked: [], counts: [] }

const keyOf = ({ of, snapshot }: Pick<Removal, 'of' | 'snapshot'>): string => `${of}/${snapshot}`

function removalsOf(before: Part, after: Part): Line[] {
  // Later than that, one of them isn't known.
  const [end = ''] = [before.until, after.until].sort()
  const old = new Map(before.removals.filter(({ at }) => at <= end).map((one) => [keyOf(one), one]))
  const young = new Map(after.removals.filter(({ at }) => at <= end).map((one) => [keyOf(one), one]))
  const goes = [...young.values()].flatMap((one): Line[] => {
    const known = old.get(keyOf(one))
    if (known?.at === one.at) return []
    const line = removalLine(one)
    const applied = known === undefined ? 'it stays' : `it goes on ${minuteText(known.at)}`
    return [{ ...line, reason: `${line.reason}; by what is applied ${applied}` }]
  })
  const stays = [...old.values()].flatMap((one): Line[] => {
    if (young.has(keyOf(one))) return []
    const reason = `it stays; by what is applied it goes on ${minuteText(one.at)}: ${one.reason}`
    return [{ about: one.of, sign: '=', what: one.snapshot, reason }]
  })
  return [...goes, ...stays]
}

const brakedIn = (about: string, before: Part, after: Part): Line[] =>
  after.braked
    .filter(({ reason }) => !before.braked.some((one) => one.reason === reason))
    .map((one) => brakedLine(about, one))

function countsOf(before: Part, after: Part): Line[] {
  const old = new Map(before.counts.flatMap(({ at, in: all }) => all.map((one) => [`${at} ${one.of}`, one])))
  const words = new Map<string, string[]>()
  for (const { at, in: all } of after.counts)
    for (const { of, snapshots } of all) {
      const known = old.get(`${at} ${of}`)
      if (known === undefined || known.snapshots === snapshots) continue
      const said = `${snapshots} instead of ${known.snapshots} on ${at.slice(0, 10)}`
      words.set(of, [...(words.get(of) ?? []), said])
    }
  return [...words].map(([about, said]) => ({
    ...{ about, sign: '=', what: '' },
    reason: `snapshots: ${said.join(', ')}`,
  }))
}
