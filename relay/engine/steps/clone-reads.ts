/** What a new instance is made from, and what stands under its name already. */
import type { SnapshotPair } from '../../../shared/incus/inventory.ts'
import { parseSource, parseVolumeSource, type SourceDetails } from '../../../shared/incus/source.ts'
import { bucketIn, type InstanceRef, volumeIn } from '../../../shared/incus/subject.ts'
import { SINCE } from '../../../shared/policy/marks.ts'
import type { CallError } from '../../../shared/relay/protocol.ts'
import type { Cloning } from '../../../shared/relay/steps.ts'
import { err, ok, type Result } from '../../../shared/result.ts'
import type { Making } from '../../../shared/work/clone/mark.ts'
import { call } from '../call.ts'
import { isObject } from '../envelope.ts'
import { againstBucketMaking } from '../guard-clone.ts'
import { isAttached } from '../guard-copy.ts'
import { isUnused, makingOn, unmarkedOn } from '../making.ts'
import { parseSeconds } from '../parse-volumes.ts'
import type { Sighting } from '../sightings.ts'
import { snapshotRequest, subjectRequest } from '../subject-requests.ts'
import { listOf } from './requests.ts'
import type { StepIo } from './step-io.ts'

/** `details`: config, devices and profiles as the snapshot has them, which are those of its source. */
export type Original = {
  details: SourceDetails
  /** What a local copy inherits, if its body doesn't name it. */
  inherited: Pick<SourceDetails, 'config' | 'devices'>
  sighting: Sighting
  /** Null: it isn't listed. */
  pair: SnapshotPair | null
  /** In bytes; null: its driver doesn't know. */
  size: number | null
}

export async function readOriginal(
  { from, snapshot, whole }: Cloning,
  io: StepIo,
): Promise<Result<Original, CallError>> {
  const seen = await io.sightings.readAll(from)
  if (!seen.ok) return seen
  const { sighting, instance: metadata } = seen.value
  const taken = await call(io.upstream, from.remote, snapshotRequest(from, snapshot))
  if (!taken.ok) return taken
  const [instance, itself] = [metadata, taken.value.envelope.metadata].map((one) =>
    isObject(one) ? one : {},
  )
  if (volumeIn(from.instance) !== null)
    return volumeOriginal(instance ?? {}, itself ?? {}, sighting, snapshot)
  const { type, location, description } = instance ?? {}
  const parsed = parseSource({ ...itself, type, location, description }, [])
  const base = parseSource(instance, [])
  if (!base.ok) return err({ code: 'bad-reply', message: base.error })
  if (!parsed.ok) return err({ code: 'bad-reply', message: parsed.error })
  const { size } = itself ?? {}
  return ok({
    details: parsed.value,
    inherited: whole ? base.value : parsed.value,
    sighting,
    pair: (sighting.snapshots ?? []).find(([name]) => name === snapshot) ?? null,
    size: typeof size === 'number' && size > 0 ? size : null,
  })
}

/** With the snapshot's config: it says how the owners of its files are shifted. */
function volumeOriginal(
  volume: Record<string, unknown>,
  { config }: Record<string, unknown>,
  sighting: Sighting,
  snapshot: string,
): Result<Original, CallError> {
  const details = parseVolumeSource({ ...volume, config }, [])
  if (!details.ok) return err({ code: 'bad-reply', message: details.error })
  const pair = (sighting.snapshots ?? []).find(([name]) => name === snapshot) ?? null
  return ok({ details: details.value, inherited: details.value, sighting, pair, size: null })
}

/** What has the new instance's name. */
export type There = {
  /** By the relay's own mark on it, or its journal. Null: it is somebody's. */
  making: Making | null
  /** When Incus created it, in seconds since the epoch. */
  since: number | null
  /** Its own. */
  config: Record<string, unknown>
  /** Nobody has started it, or taken a snapshot of it. */
  isUntouched: boolean
  /** Why it isn't, in words, where that is known. */
  used?: string
}

/** Null: nothing. */
export async function readThere(
  ref: InstanceRef,
  { upstream, seal, journal, clock }: Pick<StepIo, 'upstream' | 'seal' | 'journal' | 'clock'>,
): Promise<Result<There | null, CallError>> {
  const one = await call(upstream, ref.remote, subjectRequest(ref))
  if (!one.ok) return one.error.status === 404 ? ok(null) : one
  const { metadata } = one.value.envelope
  const { config, created_at } = isObject(metadata) ? metadata : {}
  const isBucket = bucketIn(ref.instance) !== null
  const since = parseSeconds(isBucket && isObject(config) ? config[SINCE] : created_at)
  const making = makingOn(ref, config, seal) ?? unmarkedOn(ref, config, since, { journal, seal })
  const there = { making, since, config: isObject(config) ? config : {} }
  if (isBucket) {
    const used = againstBucketMaking(making, there.config, clock.now())
    return ok({ ...there, isUntouched: used === null, ...(used === null ? {} : { used }) })
  }
  const isFree =
    volumeIn(ref.instance) === null ? isUnused(metadata) : isObject(metadata) && !isAttached(metadata)
  if (making === null || !isFree) return ok({ ...there, isUntouched: false })
  // What is brought back comes with snapshots.
  if (making.whole) return ok({ ...there, isUntouched: true })
  const list = await call(upstream, ref.remote, listOf(ref))
  if (!list.ok) return list
  const rows = list.value.envelope.metadata
  return ok({ ...there, isUntouched: Array.isArray(rows) && rows.length === 0 })
}
