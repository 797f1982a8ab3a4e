/** Holds back an expiry that takes too much at once, or under a clock that can't be right. */
import type { SnapshotPair } from '../incus/inventory.ts'
import { type InstanceRef, subjectKey } from '../incus/subject.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { own } from '../own.ts'
import { DEFAULT_BRAKE } from '../policy/defaults.ts'
import type { Policy } from '../policy/policy.ts'
import { type Brake, tooMuch } from '../retention/brake.ts'
import { dueSlots } from '../schedule/slots.ts'
import { expiryKey } from './brake.ts'
import type { Finding } from './finding.ts'
import type { World } from './world.ts'

type Expiring = {
  ref: InstanceRef
  policy: Policy
  /** The policy's snapshots of the instance, as observed. */
  snapshots: readonly SnapshotPair[]
  going: readonly string[]
  /** Since when nothing of it could go, in milliseconds; null: something could at each slot, as far as is known. */
  since: number | null
}

export type Clocks = { world: Pick<World, 'remotes'>; ledger: Pick<Ledger, 'ahead' | 'sight'>; now: Date }

/** Null: nothing holds it back. */
export function brakeExpiry(expiring: Expiring, clocks: Clocks): string | null {
  const { ledger } = clocks
  const { ref, policy, snapshots, going, since } = expiring
  const brake = brakeOf(policy)
  if (brake === null || going.length === 0) return null
  const allowed = namesIn(own(ledger.sight?.allowed, expiryKey(policy.name, subjectKey(ref))))
  const more = going.filter((name) => !allowed.has(name))
  if (more.length === 0) return null
  const removal = { snapshots, going: new Set(more), owed: slotsSince(policy, since, clocks.now) }
  const why = wrongClock(ref.remote, clocks) ?? tooMuch(brake, removal)
  return why === null
    ? null
    : `${why}: nothing of policy ${policy.name} expires on ${subjectKey(ref)} until somebody confirms it. Was the policy changed, or the clock? If they may go: /backup allow ${subjectKey(ref)} --policy=${policy.name}`
}

/** A configuration that an earlier version has applied has none. */
export const brakeOf = ({ brake }: Policy): Brake | null => (brake === undefined ? DEFAULT_BRAKE : brake)

/** Names of ours hold no spaces. */
export const namesIn = (text: string | undefined): Set<string> => new Set((text ?? '').split(' '))

/** How the note of each snapshot ends that it holds. */
export const HELD_BACK = 'but the brake holds it back'

/** What is noted and told of it. */
export const brakeFinding = ({ ref, policy }: Pick<Expiring, 'ref' | 'policy'>, reason: string): Finding => ({
  notes: [{ kind: 'problem', about: subjectKey(ref), reason }],
  braked: { [expiryKey(policy.name, subjectKey(ref))]: reason },
})

/** As many as one may be removed at each. */
const MOST_SLOTS = 10_000

const slotsSince = ({ schedule, timezone }: Policy, since: number | null, now: Date): number =>
  since === null
    ? 0
    : dueSlots({ schedule, timezone, after: new Date(since), until: now, limit: MOST_SLOTS }).slots.length

/** Seconds. Dates of snapshots mean nothing under a clock that is off by more. */
const FAR = 3600

export function wrongClock(remote: string, { world, ledger, now }: Clocks): string | null {
  const reply = own(world.remotes, remote)
  const skew = reply?.ok === true ? (reply.inventory.server.skew ?? 0) : 0
  if (Math.abs(skew) >= FAR)
    return `the clock of ${remote} is ${Math.round(Math.abs(skew) / 60)} min ${skew > 0 ? 'ahead' : 'behind'}`
  return ledger.ahead === undefined
    ? null
    : `the last run was at ${ledger.ahead}, and now it is ${now.toISOString()}: a clock was ahead, or is behind`
}
