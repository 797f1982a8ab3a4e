/** Two servers with a verified copy, for the doors to stand before, and a look at all that they and KV hold. */
import { createHash } from 'node:crypto'
import type { Relay } from '../../functions/incus/relay.ts'
import type { RelayFiles } from '../../functions/incus/relay-files.ts'
import type { Engine } from '../../relay/engine/engine.ts'
import type { Examine } from '../../relay/examine.ts'
import { HOLD } from '../../shared/policy/marks.ts'
import type { ExamRequest } from '../../shared/relay/exam.ts'
import type { Result } from '../../shared/result.ts'
import { instanceOf, seedInstance, write } from '../emulator/scene.ts'
import type { EmbeddedIncus } from '../emulator/server.ts'
import { nextMinute } from '../simulation/passing.ts'
import { createWorld, type World } from '../simulation/world.ts'

export type Place = {
  world: World
  /** In the world's own time, one call at a time. */
  engine: Engine
  relay: Relay
  files: RelayFiles
  examine: Examine
}

export const DOCUMENT = {
  policies: {
    daily: { remotes: ['main'], schedule: '*/15 * * * *', keep: { last: 4 }, copy: { remote: 'backup' } },
  },
}

/** `readable`: files of snapshots may be read there. */
export async function openPlace(readable = false): Promise<Place> {
  const world = createWorld({ start: new Date('2026-11-20T00:00:30Z'), files: readable })
  write(seedInstance(world.incus.main, { name: 'web', running: true }), 'web', 1000)
  await world.apply(DOCUMENT)
  for (let minute = 0; minute < 20; minute++) await world.tick(nextMinute(world))
  const web = instanceOf(world.incus.backup, { name: 'web' })
  if (web.config['user.stapes.verified'] === undefined) throw new Error('the copy was not verified')
  const { relay: inner, files: read } = world.places[0] ?? {}
  if (inner === undefined || read === undefined) throw new Error('the world has no place')
  const { examine: inside } = inner
  if (inside === undefined) throw new Error('its relay can’t examine')
  const examine = (request: ExamRequest) => world.clock.settle(inside(request))
  const relay: Relay = {
    examine,
    glance: (remotes) => world.clock.settle(inner.glance(remotes)),
    inventory: (request) => world.clock.settle(inner.inventory(request)),
    batch: (jobs) => world.clock.settle(inner.batch(jobs)),
  }
  const files: RelayFiles = {
    list: (wanted) => world.clock.settle(read.list(wanted)),
    get: (wanted) => world.clock.settle(read.get(wanted)),
  }
  return {
    world,
    relay,
    files,
    examine: async (request) => valueIn(await examine(request)),
    engine: engineOf(relay, files),
  }
}

/** An engine throws where the relay gives no answer. */
function valueIn<Value>(reply: Result<Value, { message: string }>): Value {
  if (!reply.ok) throw new Error(reply.error.message)
  return reply.value
}

const engineOf = (relay: Relay, files: RelayFiles): Engine => ({
  files: {
    list: async (wanted) => valueIn(await files.list(wanted)),
    async get(wanted) {
      const got = valueIn(await files.get(wanted))
      if (got.state !== 'sent') return got
      const { itself, size, bytes } = got
      if (bytes === null) throw new Error('nothing is sent')
      const sent = bytes as unknown as AsyncIterable<Uint8Array>
      return { state: 'sent', sent: { itself, size, bytes: sent, leave: () => {} } }
    },
  },
  examine: async () => ({ remotes: {}, ways: [] }),
  space: async () => [],
  glance: async (request) => valueIn(await relay.glance(request)),
  inventory: async (request) => valueIn(await relay.inventory(request)),
  async batch({ jobs }, onLine) {
    const { answers } = await relay.batch(jobs)
    for (const [job, answer] of answers)
      onLine(answer === 'accepted' ? { job, accepted: true } : { job, steps: answer })
    onLine({ done: answers.size })
  },
})

/** Equal if nothing was changed on either server. */
export const hashOf = ({ incus }: World): string => digest([incus.main.state, incus.backup.state])

export const digest = (value: unknown): string =>
  createHash('sha256').update(JSON.stringify(value, plain)).digest('hex')

const plain = (_: string, value: unknown): unknown =>
  value instanceof Map ? [...value] : value instanceof Set ? [...value] : value

/**
 * All instances of the source with their settings, while snapshots may come and go there; and the copy with its
 * snapshots, while others may begin. Holds are left out.
 */
export function remainsOf({ incus }: World): unknown {
  const on = (server: EmbeddedIncus) =>
    [...server.state.projects.values()].flatMap((project) =>
      [...project.instances.values()].map(({ config, ...instance }) => ({
        ...instance,
        config: Object.entries(config).filter(([key]) => !key.startsWith(HOLD)),
      })),
    )
  const sources = on(incus.main).map(({ snapshots: _, ...instance }) => instance)
  return digest([sources, on(incus.backup).filter(({ name }) => name === 'web')])
}
