/** Removes the exports that somebody had removed, once that can't be taken back any more. What stands beside each decides. */
import { instanceOf } from '../../incus/subject.ts'
import { kindIn, subjectIn } from '../../ledger/work.ts'
import { own } from '../../own.ts'
import type { PlanContext } from '../../plan/context.ts'
import { combine, type Finding } from '../../plan/finding.ts'
import type { Note } from '../../plan/plan.ts'
import { minutesFrom } from '../../schedule/moment.ts'
import { isDue, isPending } from '../life.ts'
import type { DropExportAction } from './action.ts'
import { placeIn, REMOVAL, type RemovalWork, removalKey } from './entry.ts'

/** Minutes until a store that could not be read is asked again, and until an end that nobody saw is looked for. */
const AGAIN = 10

export const planRemovals = ({ world, ledger, now }: PlanContext): Finding =>
  combine([
    forgotten({ world, ledger, now }),
    ...Object.entries(ledger.work).flatMap(([key, entry]): Finding[] => {
      if (kindIn(key) !== REMOVAL || !isPending(entry)) return []
      const removal = entry as RemovalWork
      if (!isDue(removal, now)) return [{ wake: [removal.retryAt ?? minutesFrom(now, AGAIN)] }]
      return [planOne(key, removal, world.surveys?.get(placeIn(key)), now)]
    }),
  ])

/** What stands in a store and not in the ledger, because that was lost, or could not be written. */
function forgotten({ world, ledger, now }: Pick<PlanContext, 'world' | 'ledger' | 'now'>): Finding {
  const soon = minutesFrom(now, 1)
  const entries = [...(world.surveys ?? [])].flatMap(([place, survey]) =>
    (survey?.rows ?? []).flatMap((row): [string, RemovalWork][] => {
      const { store, name, snapshot, going, held } = row
      const key = removalKey(place.slice(0, place.indexOf('>')), row)
      if (going === undefined || held === true || own(ledger.work, key) !== undefined) return []
      const [retryAt = soon] = [going, soon].sort().reverse()
      const state = { state: 'started', attempts: 0, refused: 0, at: now.toISOString() } as const
      return [[key, { ...state, store, name, snapshot: snapshot.name, retryAt }]]
    }),
  )
  return { work: Object.fromEntries(entries), wake: entries.map(([, { retryAt = soon }]) => retryAt) }
}

function planOne(
  key: string,
  entry: RemovalWork,
  survey: { rows: readonly Row[] } | null | undefined,
  now: Date,
): Finding {
  const { store, name, snapshot } = entry
  const about = subjectIn(key)
  const say = (kind: Note['kind'], reason: string): Finding => ({
    notes: [{ kind, about, snapshot: `${store}:${name}`, reason }],
  })
  const later = (retryAt: string, reason: string): Finding =>
    combine([say('wait', reason), { work: { [key]: { ...entry, reason, retryAt } }, wake: [retryAt] }])
  if (survey == null)
    return later(minutesFrom(now, AGAIN), 'it was to be removed, and its store could not be read')
  const row = survey.rows.find((one) => one.name === name)
  if (row === undefined) return combine([say('keep', 'it is gone'), { work: { [key]: null } }])
  const stays =
    row.held === true ? 'it is held' : row.going === undefined ? 'its removal was taken back' : null
  if (stays !== null) return combine([say('keep', `${stays}, so it stays`), { work: { [key]: null } }])
  const until = [row.going, row.until]
    .filter((at) => at !== undefined && at > now.toISOString())
    .sort()
    .at(-1)
  if (until !== undefined)
    return later(until, `it goes on ${until}: until then its store keeps it, or that can be taken back`)
  const action: DropExportAction = {
    ...{ kind: 'drop-export', ref: instanceOf(about), store, name, snapshot },
    reason: 'somebody had it removed, and the time in which that can be taken back is over',
  }
  const retryAt = minutesFrom(now, AGAIN)
  return { actions: [action], work: { [key]: { ...entry, retryAt } }, wake: [retryAt] }
}

type Row = { name: string; held?: true; going?: string; until?: string }
