/** The relay's own alarm in a world: what it hears of the ticks there, and what its channels were told. */
import { type Channel, createWatch, type Pulse, type Watch } from '../../relay/alarm/watch.ts'
import type { JournalStore } from '../../relay/engine/journal.ts'
import type { ComesAgain } from '../../shared/relay/protocol.ts'
import type { World } from './world.ts'

const MINUTE = 60_000
/** Milliseconds that the edge may be late. */
export const GRACE = 4 * MINUTE

/** What a channel took, and when, in minutes of the world. */
export type Told = { minute: number; title: string; text: string }

export type RelayAlarm = {
  told: Told[]
  pulses: string[]
  channel: { down: boolean }
  restart(): void
}

/** In a world that has begun: from now on its first place's calls are heard. */
export function listenTo(world: World): RelayAlarm {
  const start = world.clock.now()
  const told: Told[] = []
  const pulses: string[] = []
  const channel = { down: false }
  const ops: Channel = {
    name: 'ops',
    async send({ title, text }) {
      if (channel.down) return 'it answered 500'
      told.push({ minute: Math.round((world.clock.now() - start) / MINUTE), title, text })
      return null
    },
  }
  const pulse: Pulse = async (said) => {
    pulses.push(said === null ? 'heard' : said.title)
    return null
  }
  let disk = 'null'
  const store: JournalStore = {
    read: () => JSON.parse(disk) as unknown,
    changed: (state) => {
      disk = JSON.stringify(state())
    },
  }
  const [place] = world.places
  if (place === undefined) throw new Error('the world has no place')
  const { relay } = place
  const listen = (): Watch =>
    createWatch({
      ...{ clock: world.clock, store, keys: ['worker'], channels: [ops], pulse, grace: GRACE, log: () => {} },
      async look() {
        const seen = await relay.inventory({ remotes: ['main', 'backup'] })
        if (!seen.ok) throw new Error(seen.error.message)
        return seen.value
      },
    })
  let watch = listen()
  const hear = ({ again }: ComesAgain): void => {
    if (again !== undefined && world.relay.up) watch.heard('worker', again)
  }
  place.relay = {
    ...relay,
    glance(request) {
      hear(request)
      return relay.glance(request)
    },
    inventory(request) {
      hear(request)
      return relay.inventory(request)
    },
  }
  return {
    ...{ told, pulses, channel },
    restart() {
      watch.stop()
      watch = listen()
    },
  }
}
