/** The requests of a transfer's start: what has to go first, then both operations in the mode's order. */

import { request } from '../incus/routes.ts'
import { expiresAtOf, type SourceDetails } from '../incus/source.ts'
import { own } from '../own.ts'
import { VERIFIED } from '../policy/marks.ts'
import type { Step } from '../relay/protocol.ts'
import { renderVerified, replicaMarks } from './marks.ts'
import type { CopyAction } from './plan.ts'

/** No source snapshot may expire while it is waited for: an empty copy with a success would come of it. */
const WINDOW_DAYS = 7
/** The relay holds the wait for so long; longer transfers end as `running` and are looked at again. */
const COPY_WAIT = WINDOW_DAYS * 86_400
const STEP_WAIT = 600

export type Transfer = { steps: Step[]; extended: Record<string, string> }

export function copySteps(action: CopyAction, details: SourceDetails, now: Date): Transfer {
  const until = new Date(now.getTime() + WINDOW_DAYS * 86_400_000)
  const endangered = details.snapshots.filter(({ expiresAt }) => {
    const end = expiresAtOf(expiresAt)
    return end !== null && end > now && end < until
  })
  const extended = Object.fromEntries(
    endangered.map(({ name, expiresAt }) => [name, own(action.extended, name) ?? expiresAt]),
  )
  const before = [...clearing(action), ...endangered.map(({ name }) => putOff(action, name, until))]
  return {
    steps: [...before, ...transfer(action, details, before.length)],
    extended: { ...action.extended, ...extended },
  }
}

const at = ({ project, instance }: { project: string; instance: string }) => ({
  parameters: { instance },
  query: { project },
})

function putOff({ source }: CopyAction, snapshot: string, until: Date): Step {
  const { parameters, query } = at(source)
  const body = { expires_at: until.toISOString() }
  return {
    remote: source.remote,
    wait: STEP_WAIT,
    ...request('patchSnapshot', { ...parameters, snapshot }, query, body),
  }
}

/** What was never verified goes before the transfer, lest a phantom pass for data. */
function clearing({ target, startOver, unverified, marks }: CopyAction): Step[] {
  const { parameters, query } = at(target)
  const { remote } = target
  const gone = { remote, wait: STEP_WAIT, tolerate: [404] }
  if (startOver) return [{ ...gone, ...request('deleteInstance', parameters, query) }]
  const steps: Step[] = unverified.map((snapshot) => ({
    ...gone,
    ...request('deleteSnapshot', { ...parameters, snapshot }, query),
  }))
  const body = marks === null ? null : { config: { [VERIFIED]: renderVerified(marks) } }
  return body === null ? steps : [...steps, { remote, ...request('markInstance', parameters, query, body) }]
}

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

function send({ source }: CopyAction, extra: object): Step {
  const { parameters, query } = at(source)
  const body = { migration: true, live: false, instance_only: false, allow_inconsistent: false, ...extra }
  return { remote: source.remote, ...request('sendInstance', parameters, query, body) }
}

function receive(action: CopyAction, details: SourceDetails, origin: object): Step {
  const { target, member, first } = action
  const query = member === null ? { project: target.project } : { project: target.project, target: member }
  const source = {
    type: 'migration',
    live: false,
    instance_only: false,
    allow_inconsistent: false,
    ...(first ? {} : { refresh: true, refresh_exclude_older: action.excludeOlder }),
    ...origin,
  }
  const body = { ...replicaBody(action, details), source }
  return { remote: target.remote, ...request('receiveInstance', {}, query, body) }
}

/** What the target becomes. A refresh ignores all but name, type and architecture. */
function replicaBody({ source, sourceServer, target, pool }: CopyAction, details: SourceDetails): object {
  const root = details.devices[details.rootDevice]
  const devices = Object.entries(details.devices).filter(([, device]) => !isCustomVolume(device))
  const rootOnPool = pool === null ? [] : [[details.rootDevice, { ...root, type: 'disk', path: '/', pool }]]
  const ownRoot = pool === null ? [] : [details.rootDevice]
  return {
    name: target.instance,
    architecture: details.architecture,
    type: details.type,
    profiles: details.profiles,
    description: details.description,
    ephemeral: false,
    config: { ...inherited(details.config), ...PASSIVE, ...replicaMarks(source, sourceServer) },
    devices: Object.fromEntries([...devices.filter(([name]) => !ownRoot.includes(name)), ...rootOnPool]),
  }
}

/** Attached volumes don't travel with an instance, and a copy that names one fails whole. */
const isCustomVolume = (device: Record<string, string>): boolean =>
  device.type === 'disk' && device.path !== '/' && device.pool !== undefined

/** A copy neither snapshots, nor prunes, nor starts by itself, whatever its profiles say. */
const PASSIVE = { 'boot.autostart': 'false', 'snapshots.schedule': '@never', 'snapshots.expiry': '' }

const inherited = (config: Record<string, string>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(config).filter(
      ([key]) =>
        key === 'volatile.base_image' ||
        !/^(volatile|snapshots|boot\.autostart|user\.stapes)([.]|$)/.test(key),
    ),
  )
