/** What a new instance is made from, and what stands under its name already. */
import type { SnapshotPair } from '../../../shared/incus/inventory.ts'
import { request } from '../../../shared/incus/routes.ts'
import { parseSource, type SourceDetails } from '../../../shared/incus/source.ts'
import type { InstanceRef } from '../../../shared/incus/subject.ts'
import type { CallError } from '../../../shared/relay/protocol.ts'
import type { Cloning } from '../../../shared/relay/steps.ts'
import { err, ok, type Result } from '../../../shared/result.ts'
import type { Making } from '../../../shared/work/clone/mark.ts'
import { call } from '../call.ts'
import { isObject } from '../envelope.ts'
import { isUnused, makingOn } from '../making.ts'
import type { Sighting } from '../sightings.ts'
import { listOf, where } from './requests.ts'
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
  const { parameters, query } = where(from)
  const sighting = await io.sightings.read(from)
  if (!sighting.ok) return sighting
  const one = await call(io.upstream, from.remote, request('getInstance', parameters, query))
  if (!one.ok) return one
  const wanted = request('getSnapshot', { ...parameters, snapshot }, query)
  const taken = await call(io.upstream, from.remote, wanted)
  if (!taken.ok) return taken
  const [instance, itself] = [one.value, taken.value].map(({ envelope: { metadata } }) =>
    isObject(metadata) ? metadata : {},
  )
  const { type, location, description } = instance ?? {}
  const parsed = parseSource({ ...itself, type, location, description }, [])
  const base = parseSource(instance, [])
  if (!base.ok) return err({ code: 'bad-reply', message: base.error })
  if (!parsed.ok) return err({ code: 'bad-reply', message: parsed.error })
  const { size } = itself ?? {}
  return ok({
    details: parsed.value,
    inherited: whole ? base.value : parsed.value,
    sighting: sighting.value,
    pair: (sighting.value.snapshots ?? []).find(([name]) => name === snapshot) ?? null,
    size: typeof size === 'number' && size > 0 ? size : null,
  })
}

/** What has the new instance's name. */
export type There = {
  /** By the relay's own mark on it. Null: it is somebody's. */
  making: Making | null
  /** Nobody has started it, or taken a snapshot of it. */
  isUntouched: boolean
}

/** Null: nothing. */
export async function readThere(
  ref: InstanceRef,
  { upstream, seal }: Pick<StepIo, 'upstream' | 'seal'>,
): Promise<Result<There | null, CallError>> {
  const { parameters, query } = where(ref)
  const one = await call(upstream, ref.remote, request('getInstance', parameters, query))
  if (!one.ok) return one.error.status === 404 ? ok(null) : one
  const { metadata } = one.value.envelope
  const making = isObject(metadata) ? makingOn(ref, metadata.config, seal) : null
  if (making === null || !isUnused(metadata)) return ok({ making, isUntouched: false })
  // What is brought back comes with snapshots.
  if (making.whole) return ok({ making, isUntouched: true })
  const list = await call(upstream, ref.remote, listOf(ref))
  if (!list.ok) return list
  const rows = list.value.envelope.metadata
  return ok({ making, isUntouched: Array.isArray(rows) && rows.length === 0 })
}
