/** Reads the data that a read command needs, and answers it. */
import { type Permission, reachOf } from '../../shared/access/permit.ts'
import type { Actor } from '../../shared/chat/actor.ts'
import type { Message } from '../../shared/chat/message.ts'
import type { ReadCommand } from '../../shared/command/command.ts'
import type { Seen } from '../../shared/command/seen.ts'
import { lossOf } from '../../shared/ledger/parse-ledger.ts'
import type { World } from '../../shared/plan/world.ts'
import { effectiveConfig } from '../../shared/policy/pause.ts'
import { storedExportsOf, visibleOf } from '../exports.ts'
import { testApplied } from '../notify/test-channels.ts'
import { type Io, look } from '../run.ts'
import { type AuditStore, readHistory } from '../state/audit.ts'
import { installationOf, type StoredConfig } from '../state/config.ts'
import { readFacts } from '../state/facts.ts'
import { type Known, readKnown } from '../state/known.ts'
import { outageProblems } from '../state/unwritten.ts'
import type { AuthorizedRequest } from './authorized.ts'
import type { Chat } from './chat.ts'

/** Uses the Worker's time, because a platform's timestamp may be older than the last change. */
export async function read(
  command: ReadCommand,
  { incoming: { actor }, parsed, permission, stored }: AuthorizedRequest,
  { io, kv, now }: Pick<Chat, 'io' | 'kv' | 'now'>,
): Promise<Message> {
  const tests = command.needs === 'channels' && parsed.values.what === 'test'
  const tested = tests ? await testApplied(io, stored) : []
  const seen = await see(command, { actor, permission, now: now(), stored }, io, kv)
  const { instance = '' } = parsed.values
  const exports =
    command.needs === 'exports' && seen.world !== null && stored !== null
      ? { exports: await listExports(instance, { ...seen, world: seen.world }, stored, io) }
      : {}
  return command.answer(parsed.values, { ...seen, tested, ...exports })
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

type Viewer = { actor: Actor; permission: Permission; now: Date; stored: StoredConfig | null }

async function see(
  { needs }: Pick<ReadCommand, 'needs'>,
  { actor, permission, now, stored }: Viewer,
  io: Io,
  kv: AuditStore,
): Promise<Seen> {
  const world = needs === 'world' || needs === 'exports' ? await look(io, now) : null
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
