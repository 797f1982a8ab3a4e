/**
 * Instances that our own work froze. Incus thaws them when the work ends; when its daemon is killed before
 * that, they stay frozen, and the next run thaws them. An instance that ran before our work and is frozen after
 * it, without an operation, was frozen by our work; any other was frozen by a person.
 */

import type { InstanceRecord } from '../../incus/inventory.ts'
import { instanceOf, remoteOf } from '../../incus/subject.ts'
import type { FreezeLedger, Ledger } from '../../ledger/ledger.ts'
import { kindIn, subjectIn, targetIn, workOfJob } from '../../ledger/work.ts'
import { own } from '../../own.ts'
import type { PlanContext } from '../../plan/context.ts'
import { combine, type Finding, type Found } from '../../plan/finding.ts'
import { operationOn } from '../../plan/operations.ts'
import type { World } from '../../plan/world.ts'
import type { JobReport } from '../../relay/protocol.ts'
import { isLive } from '../life.ts'
import type { ThawAction } from './action.ts'

/** Thawing may fail for a temporary reason; after so many tries a person has to do it. */
const TRIES = 5

/** Whether it still has to be checked. */
export const isPending = ({ tries = 0 }: FreezeLedger): boolean => tries < TRIES

export function planThaws({ world, ledger, now }: PlanContext, { busy }: Found): Finding {
  const entries = Object.entries({ ...forgotten(world, ledger), ...ledger.frozen })
  return combine(
    entries.map(([key, entry]) => {
      const seen = seeFrozen(key, world, busy)
      if (seen === 'over' || (seen === 'unlisted' && isForgotten(entry, now))) return {}
      return combine([{ frozen: { [key]: entry } }, ...(seen === 'frozen' ? [thaw(key, entry)] : [])])
    }),
  )
}

/** Work that only the relay's jobs show, and that the ledger hasn't recorded as ended. */
function forgotten({ jobs }: World, { work }: Ledger): Record<string, FreezeLedger> {
  const entries = jobs.flatMap(({ id, memo, since }): [string, FreezeLedger][] => {
    const key = workOfJob(id)
    if (key === null || targetIn(key) === '' || own(work, key)?.job === id || !isFreezing(memo)) return []
    return [[subjectIn(key), { work: `its ${kindIn(key)} to ${remoteOf(targetIn(key))}`, at: since }]]
  })
  return Object.fromEntries(entries)
}

const isFreezing = (memo: unknown): boolean =>
  typeof memo === 'object' && memo !== null && (memo as { freezes?: unknown }).freezes === true

/** `over`: nothing to thaw; `wait`: not known yet; `unlisted`: gone, or missing from the listing. */
type SeenFrozen = 'over' | 'wait' | 'unlisted' | 'frozen'

function seeFrozen(key: string, world: World, busy: ReadonlyMap<string, string>): SeenFrozen {
  const ref = instanceOf(key)
  const reply = own(world.remotes, ref.remote)
  if (reply === undefined) return 'over'
  if (!reply.ok) return 'wait'
  const record = world.find(ref)
  if (record === undefined) return 'unlisted'
  const job = world.jobs.find(({ id, state }) => id.startsWith(`${key}>`) && isLive({ state }))
  if (job !== undefined) return seeDuring(job, record)
  if (busy.has(key) || operationOn(world, key, reply.inventory.operations) !== null) return 'wait'
  return settledAs(record)
}

/** An unlisted instance may come back for so long. */
const DAY = 86_400_000

const isForgotten = ({ at }: FreezeLedger, now: Date): boolean => now.getTime() - Date.parse(at) >= DAY

/** An instance that is frozen before its copy begins was frozen by a person. */
const seeDuring = ({ state }: JobReport, { status }: InstanceRecord): 'over' | 'wait' =>
  state === 'queued' && status === 'Frozen' ? 'over' : 'wait'

/** An offline member's instances are of status Error, which says nothing; what is Freezing will be Frozen. */
const settledAs = ({ status }: InstanceRecord): 'over' | 'wait' | 'frozen' =>
  status === 'Frozen' ? 'frozen' : status === 'Error' || status === 'Freezing' ? 'wait' : 'over'

function thaw(key: string, entry: FreezeLedger): Finding {
  const { work, reason } = entry
  const why = `${work} was interrupted and left it frozen; it was running before`
  if (!isPending(entry)) {
    const hint = `${why}; it could not be thawed: ${reason ?? 'no reason was given'}; thaw it by hand: incus resume ${instanceOf(key).instance}`
    return { notes: [{ kind: 'problem', about: key, reason: hint }] }
  }
  const action: ThawAction = { kind: 'thaw', ref: instanceOf(key), reason: why }
  return { busy: new Map([[key, 'it is thawed first']]), actions: [action] }
}
