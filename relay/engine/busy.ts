/**
 * What jobs do to instances just now that the work of another must not get between. It goes by what they do: the
 * locks of jobs are the caller's choice.
 */
import type { CallError } from '../../shared/relay/protocol.ts'

const DOING = {
  sends: 'copies it just now',
  receives: 'copies onto it, or verifies what came, just now',
  loses: 'removes snapshots of it just now',
  restores: 'restores it just now',
  puts: 'restores files of it just now',
  exports: 'makes an export of it just now',
  stops: 'has it stopped just now, to restore a volume that it uses',
  reads: 'makes an instance of a snapshot of it just now, to read its files',
} as const

/** What a job does to an instance. */
export type Activity = keyof typeof DOING

/** The job, compared by identity: its id is the caller's choice. */
export type Owner = { id: string }

export type Busy = {
  /** Null: it counts as begun, until `end`. Else who is in the way. */
  begin(owner: Owner, subject: string, activity: Activity): CallError | null
  /** Who does that to it just now; null: nobody. */
  whileDone(subject: string, activity: Activity): CallError | null
  /** All that it had begun. */
  end(owner: Owner): void
}

/** Several of these don't harm each other. Of two copies Incus fails the second one. */
const SHARED: Activity = 'loses'

export function createBusy(): Busy {
  /** By subject. */
  const begun = new Map<string, Map<Owner, Activity>>()
  return {
    begin(owner, subject, activity) {
      const there = begun.get(subject) ?? new Map<Owner, Activity>()
      const other = [...there].find(
        ([one, theirs]) => one !== owner && !(theirs === SHARED && activity === SHARED),
      )
      if (other !== undefined) return inTheWay(subject, other)
      begun.set(subject, there.set(owner, activity))
      return null
    },
    whileDone(subject, activity) {
      const one = [...(begun.get(subject) ?? [])].find(([, theirs]) => theirs === activity)
      return one === undefined ? null : inTheWay(subject, one)
    },
    end(owner) {
      for (const [subject, there] of begun) if (there.delete(owner) && there.size === 0) begun.delete(subject)
    },
  }
}

const inTheWay = (subject: string, [{ id }, activity]: [Owner, Activity]): CallError => ({
  code: 'locked',
  message: `job "${id}" ${DOING[activity]} (${subject}); try again when it has ended`,
})
