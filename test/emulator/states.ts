import { record, text } from './body.ts'
import { Refusal, type Reply } from './envelope.ts'
import { checkIdle, instanceOperation } from './instances.ts'
import type { Call, EmbeddedIncus } from './server.ts'
import { reachable } from './snapshots.ts'
import { expand, findInstance, homeOf, type Instance, stamp } from './state.ts'

const ACTIONS: Record<string, { to: Instance['status']; text: string }> = {
  start: { to: 'Running', text: 'Starting instance' },
  restart: { to: 'Running', text: 'Restarting instance' },
  stop: { to: 'Stopped', text: 'Stopping instance' },
  freeze: { to: 'Frozen', text: 'Freezing instance' },
  unfreeze: { to: 'Running', text: 'Unfreezing instance' },
}

/** Accepted whatever the state is; that it is there already fails the operation. */
export function putState(server: EmbeddedIncus, call: Call): Reply {
  const instance = reachable(server, findInstance(server.state, call.project, call.parameters.instance ?? ''))
  const action = text(record(call.body), 'action')
  const known = ACTIONS[action]
  if (known === undefined) throw new Refusal(400, `Unknown action: "${action}"`)
  return server.operations.task(instanceOperation(known.text, instance), {
    begin: () => {
      if (action === 'start' && instance.busy !== 'restore') checkIdle(instance, 'start')
      if (instance.status === known.to && action !== 'restart')
        throw new Refusal(400, `The instance is already ${known.to.toLowerCase()}`)
    },
    end: () => {
      if (known.to === 'Running') run(server, instance)
      else instance.status = known.to
    },
  })
}

/** A device that names what is gone keeps it from starting. */
export function run(server: EmbeddedIncus, instance: Instance): void {
  for (const [name, device] of Object.entries(expand(server.state, instance.project, instance).devices)) {
    const { type, pool = '', source } = device
    if (type !== 'disk' || source === undefined) continue
    if (
      server.state.pools.get(pool)?.volumes.has(`${homeOf(server.state, instance.project)}/${source}`) ===
      true
    )
      continue
    const why = 'Failed loading custom volume: Storage volume not found'
    throw new Refusal(500, `Failed start validation for device "${name}": ${why}`)
  }
  instance.status = 'Running'
  delete instance.memory
  instance.lastUsedAt = stamp(server.now(), server.options.random)
}
