/**
 * Instances that our own work froze. Incus thaws them when the work ends; when its daemon is killed before
 * that, they stay frozen for good, and the next look thaws them. What ran before our work and is frozen
 * after it, with nothing running on it, was frozen by it; whatever else is frozen, a person froze.
 */

import type { InstanceRecord } from '../../incus/inventory.ts'
import { instanceOf } from '../../incus/subject.ts'
import type { FreezeLedger, Ledger } from '../../ledger/ledger.ts'
import { kindIn, subjectIn, targetIn, workOfJob } from '../../ledger/work.ts'
import { own } from '../../own.ts'
import { combine, type Finding, type Found } from '../../plan/finding.ts'
import { operationOn } from '../../plan/operations.ts'
import type { Scene } from '../../plan/question.ts'
import type { World } from '../../plan/world.ts'
import type { JobReport } from '../../relay/protocol.ts'
import { isLive } from '../life.ts'
import type { ThawAction } from './action.ts'

/** Thawing may fail for a reason that passes; after so many tries a person is asked. */
const TRIES = 5

/** Whether the next look may have something to do. */
export const isPending = ({ tries = 0 }: FreezeLedger): boolean => tries < TRIES

export function planThaws({ world, ledger, now }: Scene, { busy }: Found): Finding {
  const entries = Object.entries({ ...forgotten(world, ledger), ...ledger.frozen })
  return combine(
    entries.map(([key, entry]) => {
      const seen = seeFrozen(key, world, busy)
      if (seen === 'over' || (seen === 'unlisted' && isForgotten(entry, now))) return {}
      return combine([{ frozen: { [key]: entry } }, ...(seen === 'frozen' ? [thaw(key, entry)] : [])])
    }),
  )
}

/** By the relay's jobs, of what the ledger never heard of, or has lost; one that it has judged is over. */
function forgotten({ jobs }: World, { work }: Ledger): Record<string, FreezeLedger> {
  const entries = jobs.flatMap(({ id, memo, since }): [string, FreezeLedger][] => {
    const key = workOfJob(id)
    if (key === null || targetIn(key) === '' || own(work, key)?.job === id || !isFreezing(memo)) return []
    const { remote } = instanceOf(targetIn(key))
    return [[subjectIn(key), { work: `its ${kindIn(key)} to ${remote}`, at: since }]]
  })
  return Object.fromEntries(entries)
}

const isFreezing = (memo: unknown): boolean =>
  typeof memo === 'object' && memo !== null && (memo as { freezes?: unknown }).freezes === true

/** `over`: there is nothing of ours to thaw; `wait`: it can't be told yet; `unlisted`: gone, or a listing lost it. */
type SeenFrozen = 'over' | 'wait' | 'unlisted' | 'frozen'

function seeFrozen(key: string, world: World, busy: ReadonlyMap<string, string>): SeenFrozen {
  const ref = instanceOf(key)
  const reply = world.remotes[ref.remote]
  if (reply === undefined) return 'over'
  if (!reply.ok) return 'wait'
  const record = world.find(ref)
  if (record === undefined) return 'unlisted'
  const job = world.jobs.find(({ id, state }) => id.startsWith(`${key}>`) && isLive({ state }))
  if (job !== undefined) return seeDuring(job, record)
  if (busy.has(key) || operationOn(world, key, reply.inventory.operations) !== null) return 'wait'
  return settledAs(record)
}

/** So long what isn't listed may come back. */
const DAY = 86_400_000

const isForgotten = ({ at }: FreezeLedger, now: Date): boolean => now.getTime() - Date.parse(at) >= DAY

/** What is frozen before its copy begins, somebody else has frozen. */
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
