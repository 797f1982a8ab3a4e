/** What a source's snapshots have as their expiries while a copy of it is made. */
import { isAddressable } from '../../../shared/incus/snapshot-name.ts'
import {
  type Expiring,
  endsOf,
  expiresAtOf,
  pairOf,
  type SourceDetails,
} from '../../../shared/incus/source.ts'
import { type InstanceRef, subjectKey } from '../../../shared/incus/subject.ts'
import type { Sending } from '../../../shared/relay/steps.ts'
import type { Call } from '../calls.ts'
import { expiryCall } from './requests.ts'
import type { StepIo } from './step-io.ts'

/** In seconds. No source snapshot may expire during the transfer: Incus would report success for an empty copy. */
export const WINDOW = 7 * 86_400

type Io = Pick<StepIo, 'clock' | 'journal' | 'sightings'>

export const windowEnd = ({ clock }: Pick<Io, 'clock'>): Date => new Date(clock.now() + WINDOW * 1000)

export const endangered = ({ snapshots }: SourceDetails, now: number, until: Date): Expiring[] =>
  snapshots.filter(({ name, expiresAt }) => {
    const end = expiresAtOf(expiresAt)
    return end !== null && end.getTime() > now && end < until && isAddressable(name)
  })

/** Those that will be postponed, each with its own expiry; and what an earlier try postponed. */
export function extendedOf(
  { source, extended }: Sending,
  details: SourceDetails,
  io: Io,
): Record<string, string> {
  const ownOf = ({ name, expiresAt }: Expiring): string => {
    const noted = io.journal.postponed(subjectKey(source), name, Date.parse(expiresAt))
    return noted === null ? expiresAt : new Date(noted).toISOString()
  }
  const coming = endangered(details, io.clock.now(), windowEnd(io)).map((one) => [one.name, ownOf(one)])
  return { ...extended, ...Object.fromEntries(coming) }
}

/**
 * Notes when Incus removes what, from when on that counts as expired, and what is postponed now, so that it can be
 * set again. Both go by what Incus says, not the caller.
 */
export function postponeEndangered(source: InstanceRef, details: SourceDetails, until: Date, io: Io): Call[] {
  const { journal, sightings } = io
  const key = subjectKey(source)
  journal.shown(key, endsOf(details.snapshots))
  for (const one of details.snapshots) {
    // What is being removed was noted as removed, whatever its expiry is.
    if (sightings.isGoing(source, pairOf(one))) continue
    const shown = expiresAtOf(one.expiresAt)?.getTime() ?? null
    const end = journal.postponed(key, one.name, shown) ?? shown
    journal.noteEnd(key, pairOf(one), end === null ? null : Math.floor(end / 1000))
  }
  return endangered(details, io.clock.now(), until).map(({ name, expiresAt }) => {
    journal.postpone(key, name, Date.parse(expiresAt), until.getTime())
    return expiryCall(source, name, until.toISOString(), expiresAt)
  })
}
