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
} as const

export type Deed = keyof typeof DOING

/** Whoever does it, compared by identity: its id is the caller's choice. */
export type Doer = { id: string }

export type Busy = {
  /** Null: it counts as begun, until `end`. Else who is in the way. */
  begin(doer: Doer, subject: string, deed: Deed): CallError | null
  /** All that it had begun. */
  end(doer: Doer): void
}

/** Several of these don't harm each other. Of two copies Incus fails the second one. */
const SHARED: Deed = 'loses'

export function createBusy(): Busy {
  /** By subject. */
  const begun = new Map<string, Map<Doer, Deed>>()
  return {
    begin(doer, subject, deed) {
      const there = begun.get(subject) ?? new Map<Doer, Deed>()
      const other = [...there].find(
        ([one, theirs]) => one !== doer && !(theirs === SHARED && deed === SHARED),
      )
      if (other !== undefined) return inTheWay(subject, other)
      begun.set(subject, there.set(doer, deed))
      return null
    },
    end(doer) {
      for (const [subject, there] of begun) if (there.delete(doer) && there.size === 0) begun.delete(subject)
    },
  }
}

const inTheWay = (subject: string, [{ id }, deed]: [Doer, Deed]): CallError => ({
  code: 'locked',
  message: `job "${id}" ${DOING[deed]} (${subject}); try again when it has ended`,
})
