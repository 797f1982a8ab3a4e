/** The steps that start a transfer: removals first, then both operations in the mode's order. */

import { request } from '../../incus/routes.ts'
import { isAddressable } from '../../incus/snapshot-name.ts'
import { type Expiring, expiresAtOf, NEVER, type SourceDetails } from '../../incus/source.ts'
import { subjectKey } from '../../incus/subject.ts'
import { familyOf, workKey } from '../../ledger/work.ts'
import { own } from '../../own.ts'
import type { PlannedJob } from '../../plan/jobs.ts'
import { expireStep, markStep, STEP_WAIT, setExpiry, where } from '../../plan/steps.ts'
import { COPYING, OWNER, PROTECTION, REPLICA_SERVER, REPLICA_UUID, VERIFIED } from '../../policy/marks.ts'
import type { Step } from '../../relay/protocol.ts'
import type { CopyAction, VerifyAction } from './action.ts'
import { COPY } from './entry.ts'
import { renderVerified, replicaMarks } from './marks.ts'
import { memoOf } from './record.ts'
import { isBrought, renderTransfer, restOf } from './transfer.ts'

/** No source snapshot may expire during the transfer: Incus would report success for an empty copy. */
const WINDOW_DAYS = 7
/** The relay waits so long; a longer transfer is reported as `running` and observed again. */
const COPY_WAIT = WINDOW_DAYS * 86_400

export type Transfer = { steps: Step[]; action: CopyAction }

/** `onTarget`: what the copy has, before a refresh. Returns the action as it is performed. */
export function copySteps(
  planned: CopyAction,
  details: SourceDetails,
  onTarget: readonly Expiring[],
  now: Date,
): Transfer {
  const action = { ...planned, verified: stillThere(planned, onTarget) }
  const until = new Date(now.getTime() + WINDOW_DAYS * 86_400_000)
  const endangered = details.snapshots.filter(({ name, expiresAt }) => {
    const end = expiresAtOf(expiresAt)
    return end !== null && end > now && end < until && isAddressable(name)
  })
  const extended = Object.fromEntries(
    endangered.map(({ name, expiresAt }) => [name, own(action.extended, name) ?? expiresAt]),
  )
  const putOff = endangered.map(({ name }) => setExpiry(action.source, name, until.toISOString()))
  const before = [...clearing(action), ...marking(action, details), ...lifting(action, onTarget), ...putOff]
  return {
    steps: [...before, ...transfer(action, details, before.length)],
    action: { ...action, extended: { ...action.extended, ...extended } },
  }
}

/** A snapshot that is gone from both listings of the target, and comes with this transfer, has to be verified again. */
const stillThere = (
  { verified, transfer, listed }: CopyAction,
  onTarget: readonly Expiring[],
): CopyAction['verified'] =>
  verified.filter(
    (pair) =>
      !isBrought(transfer, pair) || listed.includes(pair[0]) || onTarget.some(({ name }) => name === pair[0]),
  )

/** Removes unverified snapshots of an earlier transfer first, so that no partial one counts as complete. */
function clearing({ target, startOver, unverified }: CopyAction): Step[] {
  if (!startOver) return unverified.map((snapshot) => expireStep({ ref: target, snapshot }))
  const { parameters, query } = where(target)
  const gone = request('deleteInstance', parameters, query)
  return [{ remote: target.remote, wait: STEP_WAIT, tolerate: [404], ...gone }]
}

/** From here on what comes counts as unverified, and from that server; a first copy is created with these marks. */
const marking = (action: CopyAction, details: SourceDetails): Step[] =>
  action.first
    ? []
    : [
        markStep(action.target, {
          ...marksOf(action),
          [REPLICA_SERVER]: action.sourceServer,
          ...uuidMark(details),
        }),
      ]

/** Which instance it is, whatever it is called. */
function uuidMark({ config }: SourceDetails): Record<string, string> {
  const uuid = own(config, 'volatile.uuid')
  return uuid === undefined ? {} : { [REPLICA_UUID]: uuid }
}

const marksOf = ({ transfer, owner, verified }: CopyAction): Record<string, string> => ({
  [COPYING]: renderTransfer(transfer),
  [OWNER]: owner,
  [VERIFIED]: renderVerified(verified),
})

/** Lifts the expiry of snapshots that the copy must keep, in case no other transfer follows for long. */
const lifting = ({ target, lasting }: CopyAction, onTarget: readonly Expiring[]): Step[] =>
  onTarget
    .filter(({ name, expiresAt }) => lasting.includes(name) && expiresAtOf(expiresAt) !== null)
    .map(({ name }) => setExpiry(target, name, NEVER))

/** Both operations; `first` is the index of the earlier one in the job, which the later one refers to. */
function transfer(action: CopyAction, details: SourceDetails, first: number): Step[] {
  const { source, target } = action
  const reach = (server: string) => ({
    operation: { $operationUrl: first },
    secrets: { $step: first, pointer: '/metadata/metadata' },
    certificate: { $certificate: server },
  })
  if (action.transferMode === 'pull')
    return [
      { ...send(action, {}), cancelOnFailure: true },
      { ...receive(action, details, { mode: 'pull', ...reach(source.remote) }), wait: COPY_WAIT },
    ]
  return [
    receive(action, details, { mode: 'push' }),
    { ...send(action, { target: reach(target.remote) }), wait: COPY_WAIT, alsoWaitFor: first },
  ]
}

function send({ source, inconsistent }: CopyAction, extra: object): Step {
  const { parameters, query } = where(source)
  const how = { live: false, instance_only: false, allow_inconsistent: inconsistent }
  const body = { migration: true, ...how, ...extra }
  return { remote: source.remote, ...request('sendInstance', parameters, query, body) }
}

function receive(action: CopyAction, details: SourceDetails, origin: object): Step {
  const { target, member, first, inconsistent } = action
  const query = member === null ? { project: target.project } : { project: target.project, target: member }
  const source = {
    type: 'migration',
    live: false,
    instance_only: false,
    allow_inconsistent: inconsistent,
    ...(first ? {} : { refresh: true, refresh_exclude_older: action.excludeOlder }),
    ...origin,
  }
  const body = { ...replicaBody(action, details), source }
  return { remote: target.remote, ...request('receiveInstance', {}, query, body) }
}

/**
 * What the target becomes. Of a refresh Incus should ignore all but name, type and architecture, and yet takes
 * over the root disk's pool: so the pool is the one in which the copy is.
 */
function replicaBody(action: CopyAction, details: SourceDetails): object {
  const { source, sourceServer, target, pool } = action
  const { rootDevice } = details
  const devices = Object.entries(details.devices).filter(([, device]) => !isCustomVolume(device))
  const root = { ...details.root, type: 'disk', path: '/' }
  const rootOnPool = pool === null ? [] : [[rootDevice, { ...root, pool }]]
  const others = pool === null ? devices : devices.filter(([name]) => name !== rootDevice)
  return {
    name: target.instance,
    architecture: details.architecture,
    type: details.type,
    profiles: details.profiles,
    description: details.description,
    ephemeral: false,
    config: {
      ...inherited(details.config),
      ...PASSIVE,
      ...replicaMarks(source, sourceServer),
      ...uuidMark(details),
      ...marksOf(action),
    },
    devices: Object.fromEntries([...others, ...rootOnPool]),
  }
}

/** Attached volumes aren't copied with an instance, and a copy that names one fails. */
const isCustomVolume = (device: Record<string, string>): boolean =>
  device.type === 'disk' && device.path !== '/' && device.pool !== undefined

/** On a copy Incus takes and expires no snapshots and doesn't start it, whatever its profiles say. */
const PASSIVE = { 'boot.autostart': 'false', 'snapshots.schedule': '@never', 'snapshots.expiry': '' }

const inherited = (config: Record<string, string>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(config).filter(
      ([key]) =>
        key === 'volatile.base_image' ||
        !/^(volatile|snapshots|boot\.autostart|user\.stapes|security\.protection\.delete)([.]|$)/.test(key),
    ),
  )

export function copyJob({ steps, action }: Transfer): PlannedJob {
  const { job: id, key, source } = action
  const lock = subjectKey(source)
  const family = familyOf(workKey(COPY, key))
  // A snapshot that is being made when a transfer begins fails it.
  return {
    job: { id, family, lock, after: lock, detach: true, memo: memoOf(action), steps },
    parts: [action],
  }
}

/** Expiries first, then the marks: a marked snapshot has its expiry set. */
export function verifyJob(action: VerifyAction): PlannedJob {
  const { source, target, key, marks, rest, expiries, restore, protect, owner, expire } = action
  const left = restOf(rest)
  const steps: Step[] = [
    ...expiries.map(({ snapshot, expiresAt }) => setExpiry(target, snapshot, expiresAt ?? NEVER)),
    ...restore.map(({ snapshot, expiresAt }) => setExpiry(source, snapshot, expiresAt)),
    markStep(target, {
      [VERIFIED]: renderVerified(marks),
      [COPYING]: left === null ? '' : renderTransfer(left),
      [OWNER]: owner,
    }),
    ...(protect ? [markStep(target, { [PROTECTION]: 'true' })] : []),
  ]
  return {
    // Its steps on the source would conflict with a snapshot or an expiry in progress.
    job: { id: `verify ${key}`, after: subjectKey(source), steps: [...steps, ...expire.map(expireStep)] },
    parts: [...steps.map(() => action), ...expire],
  }
}
