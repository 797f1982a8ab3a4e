/** Why the relay makes no new instance, whoever asks: by its configuration, and by what the original is just now. */
import { isIn } from '../../../shared/incus/pairs.ts'
import { type InstanceRef, instanceOf, nounOf, subjectKey } from '../../../shared/incus/subject.ts'
import { own } from '../../../shared/own.ts'
import { MAKING } from '../../../shared/policy/marks.ts'
import type { Cloning } from '../../../shared/relay/steps.ts'
import { isVerified, unfinishedOn } from '../../../shared/work/copy/transfer.ts'
import { isReplica, verifiedOn } from '../removal.ts'
import { isSource, notSource } from '../rules.ts'
import { replicaOf, type Sighting } from '../sightings.ts'
import { isPlain } from './clone-body.ts'
import type { Original } from './clone-reads.ts'
import type { StepIo } from './step-io.ts'

export function againstClone(cloning: Cloning, original: Original, io: StepIo): string | null {
  const { from, snapshot, to, whole } = cloning
  const { sighting, pair, details } = original
  const volume = againstVolume(cloning)
  if (volume !== null) return volume
  const isCopy = isCopied(from, sighting, io)
  if (!isCopy && !isSource(io.remotes, from.remote)) return notSource(from.remote)
  if (subjectKey(from) === subjectKey(to)) return 'it would replace its original'
  const place = againstPlace(cloning, homeOf(from, sighting, isCopy), io)
  if (place !== null) return place
  if (sighting.own.includes(MAKING)) return `${subjectKey(from)} is being made itself`
  if (pair === null) return `${snapshot} is no snapshot of ${subjectKey(from)}`
  if (io.sightings.isGoing(from, pair)) return `${snapshot} is being removed`
  if (isCopy && !isIn(verifiedOn(from, sighting, io), pair))
    return `${snapshot} of the copy ${subjectKey(from)} is not verified, so it may hold no data`
  if (!whole) return null
  if (!isCopy) return `${subjectKey(from)} is no copy`
  // A volume keeps its config, so it is always restored to the snapshot.
  if (details.type === 'volume') return null
  return isVerified(unfinishedOn(sighting)) || isPlain(details)
    ? null
    : `a transfer onto the copy was cut off, so its disk may be partial, and its snapshots have in their config what reaches a host, so none is restored by itself: make one snapshot a new instance instead`
}

function againstVolume({ from, to, whole }: Cloning): string | null {
  if (nounOf(from) !== nounOf(to)) return `a ${nounOf(from)} can't become a ${nounOf(to)}`
  if (nounOf(to) === 'instance') return null
  return from.remote === to.remote && whole
    ? 'all of a custom volume is brought back only from another server'
    : null
}

const isCopied = (ref: InstanceRef, sighting: Sighting, io: StepIo): boolean =>
  replicaOf(sighting) !== '' || isReplica(ref, sighting, io)

/** Where it belongs: a copy to where its source is, or was. */
export const homeOf = (
  ref: InstanceRef,
  sighting: Sighting,
  isCopy = replicaOf(sighting) !== '',
): InstanceRef => (isCopy ? instanceOf(replicaOf(sighting)) : ref)

/**
 * By itself an instance stays where it belongs, so that nobody in another project or on another server gets to read it,
 * and nothing runs on a backup server.
 */
function againstPlace({ from, to }: Cloning, home: InstanceRef, { remotes }: StepIo): string | null {
  const there = own(remotes, to.remote)
  if (there?.restores === false) return `"restores" is false for "${to.remote}" in its configuration`
  if (there?.receives?.includes(from.remote) === true) return null
  const isHome = to.remote === home.remote && to.project === home.project && isSource(remotes, to.remote)
  return isHome
    ? null
    : `snapshots on "${from.remote}" may become instances in project ${to.project} on "${to.remote}" only if its configuration says so: set "receives": ["${from.remote}"] for "${to.remote}" there`
}
