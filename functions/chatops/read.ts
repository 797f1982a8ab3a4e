/** Reads the data that a read command needs, and answers it. */
import { type Permission, reachOf } from '../../shared/access/permit.ts'
import type { Actor } from '../../shared/chat/actor.ts'
import type { Message } from '../../shared/chat/message.ts'
import type { ReadCommand, Values } from '../../shared/command/command.ts'
import type { Seen } from '../../shared/command/seen.ts'
import type { InstanceRecord } from '../../shared/incus/inventory.ts'
import { lossOf } from '../../shared/ledger/parse-ledger.ts'
import { instancesIn, isCopy } from '../../shared/plan/find.ts'
import type { World } from '../../shared/plan/world.ts'
import { REPLICA_OF } from '../../shared/policy/marks.ts'
import { effectiveConfig } from '../../shared/policy/pause.ts'
import { err } from '../../shared/result.ts'
import { doctor } from '../doctor.ts'
import { storedExportsOf, visibleOf } from '../exports.ts'
import { listFiles, placeOf } from '../files.ts'
import { testApplied } from '../notify/test-channels.ts'
import { type Io, look } from '../run.ts'
import { detailsOf, oneCalled, reasonsOf } from '../snapshots.ts'
import { type AuditStore, readHistory } from '../state/audit.ts'
import { installationOf, type StoredConfig } from '../state/config.ts'
import { readFacts } from '../state/facts.ts'
import { type Known, readKnown } from '../state/known.ts'
import { outageProblems } from '../state/unwritten.ts'
import type { AuthorizedRequest } from './authorized.ts'
import type { Chat } from './chat.ts'

type Reader = Pick<AuthorizedRequest, 'parsed' | 'permission' | 'stored'> & {
  incoming: { actor: Actor }
  room?: number
}

/** Uses the Worker's time, because a platform's timestamp may be older than the last change. */
export async function read(
  command: ReadCommand,
  { incoming: { actor }, parsed, permission, stored, room }: Reader,
  { io, kv, now }: Pick<Chat, 'io' | 'kv' | 'now'>,
): Promise<Message> {
  const tests = command.needs === 'channels' && parsed.values.what === 'test'
  const tested = tests ? await testApplied(io, stored) : []
  const looked = await see(command, { actor, permission, now: now(), stored }, io, kv)
  const seen = room === undefined ? looked : { ...looked, room }
  const { instance = '' } = parsed.values
  const exports =
    command.needs === 'exports' && seen.world !== null && stored !== null
      ? { exports: await listExports(instance, { ...seen, world: seen.world }, stored, io) }
      : {}
  const files = command.needs === 'files' ? await filesOf(parsed.values, seen, io) : {}
  const details =
    command.name === 'list' && instance !== '' ? await listDetails(instance, seen, stored, io) : {}
  const found = command.needs === 'doctor' ? { diagnosis: await doctor(io, now()) } : {}
  return command.answer(parsed.values, { ...seen, tested, ...exports, ...files, ...details, ...found })
}

/** Only of the one that is meant, if somebody may see it. */
async function listDetails(
  instance: string,
  { world, coverages, ledger, maySee, now }: Seen,
  stored: StoredConfig | null,
  { relay, keyDigest }: Io,
): Promise<Pick<Seen, 'details'>> {
  const one = world === null ? null : oneCalled(instance, { world: visibleOf(world, maySee) })
  if (world === null || stored === null || one === null || one.record.snapshots === null) return {}
  const known = { world, coverages, ledger, stored, keyDigest, now }
  return { details: { of: await detailsOf(one, relay), reasons: reasonsOf(one.key, known) } }
}

/** Rows of a list that are shown at most. */
const ROWS = 100

const maySeeCopy = (record: InstanceRecord, maySee: Seen['maySee']): boolean =>
  isCopy(record) && maySee(record.config[REPLICA_OF] ?? '')

async function filesOf(
  { instance = '', snapshot = '', path = '/', from }: Values,
  { world, coverages, ledger, maySee }: Seen,
  { files }: Io,
): Promise<Pick<Seen, 'files'>> {
  if (world === null || files === undefined) return {}
  // With the copies of what somebody may see, wherever they are.
  const copies = new Set(
    instancesIn(world).flatMap(({ key, record }) => (maySeeCopy(record, maySee) ? [key] : [])),
  )
  const known = {
    world: visibleOf(world, (key) => maySee(key) || copies.has(key)),
    coverages,
    ledger,
  }
  const place = placeOf({ instance, snapshot, path, from }, known)
  if (!place.ok) return { files: place }
  if (!maySee(place.value.of)) return { files: err({ reason: 'There is no such instance that you may see' }) }
  return { files: await listFiles(place.value, { limit: ROWS }, files) }
}

async function listExports(
  instance: string,
  { world, maySee, coverages, now }: Seen & { world: World },
  stored: StoredConfig,
  io: Io,
): Promise<NonNullable<Seen['exports']>> {
  const { facts } = await readFacts(io.state, now)
  const installation = installationOf(stored, io.keyDigest)
  const keeping = { world: visibleOf(world, maySee), coverages, installation, facts, now }
  return storedExportsOf(instance, keeping, io.relay)
}

/** So many records are read, before those of instances that the actor may not see are left out. */
const HISTORY = 50

const NOTHING: Known = { ledger: null, lost: [], facts: null }

const LOOKS: readonly ReadCommand['needs'][] = ['world', 'exports', 'files']

type Viewer = { actor: Actor; permission: Permission; now: Date; stored: StoredConfig | null }

async function see(
  { needs }: Pick<ReadCommand, 'needs'>,
  { actor, permission, now, stored }: Viewer,
  io: Io,
  kv: AuditStore,
): Promise<Seen> {
  const world = LOOKS.includes(needs) ? await look(io, now) : null
  const [{ ledger, lost, facts, channels = [] }, history] = await Promise.all([
    world !== null ? { ...NOTHING, ...world } : needs === 'ledger' ? readKnown(io.state, now) : NOTHING,
    needs === 'history' ? readHistory(kv, HISTORY) : [],
  ])
  return {
    now,
    actor,
    config: stored === null ? null : effectiveConfig(stored, now),
    applied: stored === null ? null : appliedOf(stored, lost, now),
    pauses: stored?.pauses ?? {},
    ledger,
    facts,
    channels,
    maySee: reachOf(permission),
    world: world?.world ?? null,
    coverages: world?.coverages ?? [],
    history,
  }
}

function appliedOf(stored: StoredConfig, lost: readonly string[], now: Date): Seen['applied'] {
  const loss = lossOf(lost)
  const wrong = [...outageProblems(now), ...(loss === null ? [] : [loss])]
  return wrong.length === 0 ? stored : { ...stored, problems: [...(stored.problems ?? []), ...wrong] }
}
