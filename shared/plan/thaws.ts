/**
 * Instances that our own work froze. Incus thaws them when the work ends; when its daemon is killed before
 * that, they stay frozen for good, and the next look thaws them. What ran before our work and is frozen
 * after it, with nothing running on it, was frozen by it; whatever else is frozen, a person froze.
 */
import type { InstanceRecord } from '../incus/inventory.ts'
import type { FreezeLedger, Ledger } from '../ledger/ledger.ts'
import { own } from '../own.ts'
import type { JobReport } from '../relay/protocol.ts'
import type { Note, ThawAction } from './plan.ts'
import { operationOn } from './restore-judge.ts'
import { refOf } from './restore-known.ts'
import type { World } from './world.ts'

export type Thaws = {
  actions: ThawAction[]
  notes: Note[]
  /** By instance key: what may be frozen by us from now on. */
  ledgers: Record<string, FreezeLedger>
  /** Instances that nothing else is done to in this run, by key, each with the reason. */
  withheld: Map<string, string>
}

/** Thawing may fail for a reason that passes; after so many tries a person is asked. */
const TRIES = 5

/** Whether the next look may have something to do. */
export const isPending = ({ tries = 0 }: FreezeLedger): boolean => tries < TRIES

export function planThaws(world: World, ledger: Ledger, busy: ReadonlyMap<string, string>, now: Date): Thaws {
  const thaws: Thaws = { actions: [], notes: [], ledgers: {}, withheld: new Map() }
  for (const [key, entry] of Object.entries({ ...forgotten(world, ledger), ...ledger.frozen })) {
    const seen = seeFrozen(key, world, busy)
    if (seen === 'over' || (seen === 'unlisted' && isForgotten(entry, now))) continue
    thaws.ledgers[key] = entry
    if (seen === 'frozen') thaw(key, entry, thaws)
  }
  return thaws
}

/** By the relay's jobs, of copies that the ledger never heard of, or has lost; one that it has judged is over. */
function forgotten({ jobs }: World, { copies }: Ledger): Record<string, FreezeLedger> {
  const entries = jobs.flatMap(({ id, memo, since }): [string, FreezeLedger][] => {
    const replica = id.slice(0, id.lastIndexOf(':'))
    const at = replica.indexOf('>')
    if (at < 0 || own(copies, replica)?.job === id || !isFreezing(memo)) return []
    return [[replica.slice(0, at), { work: `its copy to ${refOf(replica.slice(at + 1)).remote}`, at: since }]]
  })
  return Object.fromEntries(entries)
}

const isFreezing = (memo: unknown): boolean =>
  typeof memo === 'object' && memo !== null && (memo as { freezes?: unknown }).freezes === true

/** `over`: there is nothing of ours to thaw; `wait`: it can't be told yet; `unlisted`: gone, or a listing lost it. */
type SeenFrozen = 'over' | 'wait' | 'unlisted' | 'frozen'

function seeFrozen(key: string, world: World, busy: ReadonlyMap<string, string>): SeenFrozen {
  const ref = refOf(key)
  const reply = world.remotes[ref.remote]
  if (reply === undefined) return 'over'
  if (!reply.ok) return 'wait'
  const record = world.find(ref)
  if (record === undefined) return 'unlisted'
  const job = world.jobs.find(({ id, state }) => id.startsWith(`${key}>`) && isLive(state))
  if (job !== undefined) return seeDuring(job, record)
  if (busy.has(key) || operationOn(world, key, reply.inventory.operations) !== null) return 'wait'
  return settledAs(record)
}

/** So long what isn't listed may come back. */
const DAY = 86_400_000

const isForgotten = ({ at }: FreezeLedger, now: Date): boolean => now.getTime() - Date.parse(at) >= DAY

const isLive = (state: JobReport['state']): boolean => state === 'running' || state === 'queued'

/** What is frozen before its copy begins, somebody else has frozen. */
const seeDuring = ({ state }: JobReport, { status }: InstanceRecord): 'over' | 'wait' =>
  state === 'queued' && status === 'Frozen' ? 'over' : 'wait'

/** An offline member's instances are of status Error, which says nothing; what is Freezing will be Frozen. */
const settledAs = ({ status }: InstanceRecord): 'over' | 'wait' | 'frozen' =>
  status === 'Frozen' ? 'frozen' : status === 'Error' || status === 'Freezing' ? 'wait' : 'over'

function thaw(key: string, entry: FreezeLedger, thaws: Thaws): void {
  const { work, reason } = entry
  const why = `${work} was cut off while it was frozen for it, and it ran before`
  if (!isPending(entry)) {
    const hint = `${why}; it could not be thawed: ${reason ?? 'no reason given'}; do it by hand: incus resume ${refOf(key).instance}`
    thaws.notes.push({ kind: 'problem', about: key, reason: hint })
    return
  }
  thaws.withheld.set(key, 'it is thawed first')
  thaws.actions.push({ kind: 'thaw', ref: refOf(key), reason: why })
}
