/** Whether a new instance fits its place: profiles, pool, space and networks there. Incus says some of it too late, or not at all. */
import type { Profile, Profiles } from '../../../shared/incus/profiles.ts'
import { type IncusRequest, request } from '../../../shared/incus/routes.ts'
import type { SourceDetails } from '../../../shared/incus/source.ts'
import { volumeIn } from '../../../shared/incus/subject.ts'
import { own } from '../../../shared/own.ts'
import type { CallError } from '../../../shared/relay/protocol.ts'
import type { Cloning } from '../../../shared/relay/steps.ts'
import { err, ok, type Result } from '../../../shared/result.ts'
import { call } from '../call.ts'
import { isObject, text } from '../envelope.ts'
import type { Original } from './clone-reads.ts'
import { volumeFitOf } from './copy-fit.ts'
import { readProfiles } from './copy-reads.ts'
import { freeIn } from './export-space.ts'
import type { StepIo } from './step-io.ts'

type Io = Pick<StepIo, 'upstream' | 'sightings'>

/** What is made, and where: also of what no snapshot holds. */
export type Fitting = Pick<Cloning, 'from' | 'to' | 'pool'>

/** The pool for its root disk; null: as config and profiles say. An error says why it doesn't fit, and what to do. */
export async function fitClone(
  cloning: Fitting,
  original: Pick<Original, 'details' | 'size'>,
  io: Io,
): Promise<Result<string | null, string>> {
  const place = volumeIn(cloning.to.instance) === null ? fitPlace : fitVolume
  const fitted = await place(cloning, original, io)
  return fitted.ok ? ok(fitted.value.pool) : fitted
}

/** Its pool is in its name. */
export async function fitVolume(
  { from, to }: Fitting,
  { size }: Pick<Original, 'size'>,
  io: Io,
): Promise<Result<Chosen, string>> {
  const place = await volumeFitOf({ target: to, first: true }, io)
  const { pool = null } = volumeIn(to.instance) ?? {}
  const why = place.refusal ?? (await refuseSpace({ from, to, pool }, pool, size, io))
  return why === null ? ok({ pool: null, used: pool }) : err(why)
}

export async function fitPlace(
  cloning: Fitting,
  { details, size }: Pick<Original, 'details' | 'size'>,
  io: Io,
): Promise<Result<Chosen, string>> {
  const profiles = await readProfiles(cloning.to, io)
  const missing = profiles === null ? [] : details.profiles.filter((name) => !profiles.has(name))
  if (missing.length > 0)
    return err(`${placeOf(cloning)} has no profile ${missing.join(', ')}: create it there`)
  const chosen = await choosePool(cloning, details, profiles, io)
  if (!chosen.ok) return chosen
  const space = await refuseSpace(cloning, chosen.value.used, size, io)
  const why = space ?? (await refuseNetworks(cloning, details, io))
  return why === null ? chosen : err(why)
}

const placeOf = ({ to }: Fitting): string => `project ${to.project} on ${to.remote}`

/** `used`: where the root disk will be; null: that isn't known. */
export type Chosen = { pool: string | null; used: string | null }

async function choosePool(
  { pool, from, to }: Fitting,
  details: SourceDetails,
  profiles: Profiles | null,
  io: Io,
): Promise<Result<Chosen, string>> {
  const inherited = rootPoolOf(details.profiles.flatMap((name) => profiles?.get(name) ?? []))
  const itsOwn = own(details.devices, details.rootDevice)?.pool ?? null
  const wanted = pool ?? itsOwn ?? inherited
  if (wanted === null)
    return profiles === null
      ? ok({ pool: null, used: null })
      : err(`neither it nor its profiles on ${to.remote} have a root disk: name a pool, by --pool`)
  if (await exists(to.remote, wanted, io)) return ok({ pool, used: wanted })
  // A copy's root disk is in a pool of the backup server.
  const other = pool === null && from.remote !== to.remote && inherited !== null ? inherited : null
  if (other !== null && (await exists(to.remote, other, io))) return ok({ pool: other, used: other })
  return err(`${to.remote} has no pool "${wanted}": name one that it has, by --pool`)
}

/** The last profile wins. */
const rootPoolOf = (profiles: readonly Profile[]): string | null =>
  profiles
    .flatMap(({ devices }) => Object.values(devices))
    .findLast(({ type, path }) => type === 'disk' && path === '/')?.pool ?? null

const read = async (remote: string, wanted: IncusRequest, { upstream }: Io) => {
  const answer = await call(upstream, remote, wanted)
  return answer.ok ? ok(answer.value.envelope.metadata) : answer
}

/** Where it isn't known, it is tried. */
async function exists(remote: string, pool: string, io: Io): Promise<boolean> {
  const found: Result<unknown, CallError> = await read(remote, request('getPool', { pool }), io)
  return found.ok || found.error.status !== 404
}

const MEGA = 1_000_000
/** In bytes. With less, nothing can be made. */
const LEAST = 16 * MEGA

async function refuseSpace(
  { to, from }: Fitting,
  pool: string | null,
  size: number | null,
  io: Io,
): Promise<string | null> {
  // In the same pool most drivers share what is equal.
  const needed = from.remote === to.remote ? LEAST : Math.max(LEAST, size ?? 0)
  return pool === null ? null : spaceIn(to, pool, needed, io)
}

async function spaceIn(
  to: Fitting['to'],
  pool: string,
  needed: number,
  io: Pick<Io, 'upstream'>,
): Promise<string | null> {
  const free = await freeIn(pool, to.remote, io)
  return free === null || free >= needed
    ? null
    : `the pool "${pool}" on ${to.remote} has ${Math.floor(free / MEGA)} MB left, and it needs ${Math.ceil(needed / MEGA)} MB: free space there, or name another pool, by --pool`
}

/** Of what comes from elsewhere. */
export const fitSpace = (
  to: Fitting['to'],
  pool: string,
  size: number,
  io: Pick<Io, 'upstream'>,
): Promise<string | null> => spaceIn(to, pool, Math.max(LEAST, size), io)

/** A list without any may have been filtered by the server's rights. */
async function refuseNetworks(cloning: Fitting, details: SourceDetails, io: Io): Promise<string | null> {
  const { remote, project } = cloning.to
  const named = Object.values(details.devices).flatMap(({ type, network }) =>
    type === 'nic' && network !== undefined ? [network] : [],
  )
  if (named.length === 0) return null
  const list = await read(remote, request('listNetworks', {}, { project, recursion: '1' }), io)
  const names = list.ok && Array.isArray(list.value) ? list.value.map((one) => nameOf(one)) : []
  const missing = names.length === 0 ? [] : named.filter((name) => !names.includes(name))
  return missing.length === 0
    ? null
    : `${placeOf(cloning)} has no network ${missing.join(', ')}: create it there`
}

const nameOf = (network: unknown): string => (isObject(network) ? text(network.name) : '')
