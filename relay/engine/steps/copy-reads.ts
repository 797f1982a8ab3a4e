/** What a copy's two sides have just now. */
import { type Profiles, parseProfiles } from '../../../shared/incus/profiles.ts'
import { request } from '../../../shared/incus/routes.ts'
import {
  type Expiring,
  pairOf,
  parseExpiries,
  parseSource,
  parseVolumeSource,
  type SourceDetails,
} from '../../../shared/incus/source.ts'
import { type InstanceRef, volumeIn } from '../../../shared/incus/subject.ts'
import type { CallError } from '../../../shared/relay/protocol.ts'
import type { Sending } from '../../../shared/relay/steps.ts'
import { err, ok, type Result } from '../../../shared/result.ts'
import { call } from '../call.ts'
import { isObject, text } from '../envelope.ts'
import { isAttached } from '../guard-copy.ts'
import type { Sighting } from '../sightings.ts'
import { rowsOf, subjectRequest } from '../subject-requests.ts'
import { adjusted } from './copy-body.ts'
import { listOf } from './requests.ts'
import type { StepIo } from './step-io.ts'

/** Of a copy that nobody uses. */
export const STOPPED = 'Stopped'

/** The target, if it is there: by its own list of its snapshots. A volume that nobody has counts as stopped. */
export type OnTarget = { sighting: Sighting; status: string; snapshots: Expiring[] }

export type Sides = { details: SourceDetails; target: OnTarget | null }

type Io = Pick<StepIo, 'upstream' | 'sightings'>

export async function readSides(sending: Sending, io: Io): Promise<Result<Sides, CallError>> {
  const { source, target } = sending
  const details = await readSource(source, io)
  if (!details.ok) return details
  const there = await readTarget(target, io)
  return there.ok ? ok({ details: adjusted(details.value, sending), target: there.value }) : there
}

const read = async ({ upstream }: Io, remote: string, wanted: ReturnType<typeof request>) => {
  const answer = await call(upstream, remote, wanted)
  return answer.ok ? ok(answer.value.envelope.metadata) : answer
}

async function readSource(ref: InstanceRef, io: Io): Promise<Result<SourceDetails, CallError>> {
  const one = await read(io, ref.remote, subjectRequest(ref))
  if (!one.ok) return one
  const list = await read(io, ref.remote, listOf(ref))
  if (!list.ok) return list
  const parse = volumeIn(ref.instance) === null ? parseSource : parseVolumeSource
  return usable(parse(one.value, rowsOf(ref, list.value)))
}

/** Null: there is no such instance or volume. */
async function readTarget(ref: InstanceRef, io: Io): Promise<Result<OnTarget | null, CallError>> {
  const one = await read(io, ref.remote, subjectRequest(ref))
  if (!one.ok) return one.error.status === 404 ? ok(null) : one
  const list = await read(io, ref.remote, listOf(ref))
  if (!list.ok) return list
  const snapshots = usable(parseExpiries(rowsOf(ref, list.value)))
  if (!snapshots.ok) return snapshots
  const instance = isObject(one.value) ? one.value : {}
  const config = isObject(instance.config) ? instance.config : null
  if (config === null)
    return err({ code: 'bad-reply', message: `the copy ${ref.instance} has no config in it` })
  return ok({
    status:
      volumeIn(ref.instance) === null ? text(instance.status) : isAttached(instance) ? 'attached' : STOPPED,
    snapshots: snapshots.value,
    sighting: {
      config: Object.fromEntries(Object.entries(config).map(([key, value]) => [key, text(value)])),
      own: Object.keys(config),
      snapshots: snapshots.value.map(pairOf),
    },
  })
}

const usable = <T>(parsed: Result<T, string>): Result<T, CallError> =>
  parsed.ok ? parsed : err({ code: 'bad-reply', message: parsed.error })

/** Null: the certificate can't see them, and the copy is tried without this check. */
export async function readProfiles({ remote, project }: InstanceRef, io: Io): Promise<Profiles | null> {
  const list = await read(io, remote, request('listProfiles', {}, { project, recursion: '1' }))
  return list.ok ? parseProfiles(list.value) : null
}
