/** Whether an instance may be restored to a snapshot now, and how. */
import { refuseSnapshots } from '../incus/project-rules.ts'
import type { RestoreLedger } from '../ledger/ledger.ts'
import { own } from '../own.ts'
import { holdsOf } from '../policy/marks.ts'
import { minutesFrom } from '../schedule/moment.ts'
import type { Ask } from './ask.ts'
import type { Answer, Asked } from './asking.ts'
import { type Found, findInstance, missing } from './find.ts'
import { driverOf, snapshotStandstill } from './freezing.ts'
import { ownExpiry } from './own-expiry.ts'
import type { Refusal, RestoreAction } from './plan.ts'
import { refuseDriver } from './restore-driver.ts'
import { refuseEvidence } from './restore-evidence.ts'
import { familyOf } from './restore-job.ts'
import { operationOn, runs } from './restore-judge.ts'
import { isEnded, isLive } from './restore-known.ts'
import { refuseMemory } from './restore-memory.ts'
import { heldOn, lastingMarks, safetyExpiry, safetyName } from './safety.ts'
import type { World } from './world.ts'

type Wish = Extract<Ask, { do: 'restore' }>

export function askRestore(asked: Asked<Wish>): Answer | Refusal {
  const { ask, world, now } = asked
  const found = findInstance(world, ask.instance)
  if (!found.ok) return found.error
  const { key } = found.value
  const unfinished = asked.restores.ledgers[key]
  if (unfinished !== undefined && !isEnded(unfinished)) return underWay(key, unfinished, ask.snapshot)
  const refusal =
    missing(found.value, ask.snapshot) ??
    refuseEvidence(found.value, ask.snapshot, asked) ??
    refuseDriver(found.value, ask.snapshot, world) ??
    refuseMemory(found.value, ask, world) ??
    refuseProject(found.value, world) ??
    refuseBusy(found.value, asked)
  if (refusal !== null) return refusal
  const action = actionOf(found.value, asked)
  const entry: RestoreLedger = {
    state: 'started',
    snapshot: ask.snapshot,
    safety: action.safety.name,
    running: action.running,
    ...(action.stateful ? { stateful: true } : {}),
    holds: action.holds,
    ...(action.expiresAt === null ? {} : { expiresAt: action.expiresAt }),
    job: action.job,
    attempts: 0,
    at: now.toISOString(),
  }
  return { actions: [action], restores: { [key]: entry }, wake: [minutesFrom(now, 1)] }
}

function underWay(key: string, { snapshot }: RestoreLedger, asked: string): Answer | Refusal {
  if (snapshot === asked)
    return { notes: [{ kind: 'wait', about: key, snapshot, reason: 'it is being restored to it already' }] }
  return { code: 'busy', reason: `${key} is being restored to ${snapshot}: wait for its end` }
}

/** The state before is kept as a snapshot, which the project has to allow. */
function refuseProject({ ref, key }: Found, { remotes }: World): Refusal | null {
  const reply = own(remotes, ref.remote)
  const rules = reply?.ok === true ? own(reply.inventory.projectRules, ref.project) : undefined
  const why = refuseSnapshots(ref.project, rules)
  return why === null ? null : { code: 'forbidden', reason: `${key}: the state before can't be kept, ${why}` }
}

function refuseBusy({ key, ref, record }: Found, { world, ledger }: Asked<Wish>): Refusal | null {
  const busy = (what: string): Refusal => ({
    code: 'busy',
    reason: `${key}: ${what}; ask again when that has ended`,
  })
  const copy = world.jobs.find((job) => job.id.startsWith(`${key}>`) && isLive(job))
  if (copy !== undefined)
    return busy(`a copy of it is ${copy.state}${copy.progress === undefined ? '' : ` (${copy.progress})`}`)
  const noted = Object.entries(ledger.copies).find(
    ([replica, { state }]) => replica.startsWith(`${key}>`) && (state === 'started' || state === 'running'),
  )
  if (noted !== undefined) return busy(`a copy of it is under way (${noted[0]})`)
  const remote = world.remotes[ref.remote]
  const operation = operationOn(world, key, remote?.ok === true ? remote.inventory.operations : [])
  if (operation !== null) return busy(`an operation runs on it (${operation})`)
  return runs(record.status) || record.status === 'Stopped' ? null : busy(`it is ${record.status}`)
}

function actionOf(found: Found, asked: Asked<Wish>): RestoreAction {
  const { ref, key, record } = found
  const { ask, world, now } = asked
  const { stateful = false } = ask
  const held = holdsOf(record).has(ask.snapshot)
  const name = safetyName(record, now)
  return {
    kind: 'restore',
    ref,
    snapshot: ask.snapshot,
    safety: { name, expiresAt: safetyExpiry(now, now), taken: false },
    standstill: snapshotStandstill(record, driverOf(world, ref.remote, record.pool), false),
    half: null,
    restored: false,
    running: stateful || runs(record.status),
    stateful,
    holds: lastingMarks(record),
    held: heldOn(record),
    expiresAt: held ? null : ownExpiry(found, ask.snapshot, asked),
    job: `${familyOf(key)}:${name}#0`,
    reason: ask.reason,
  }
}
