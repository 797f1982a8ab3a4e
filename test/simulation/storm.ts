/** Everything that can go wrong, drawn from a seed: the same seed brings the same weather. */
import { MINUTE, type Simulation } from './scenes.ts'
import type { Remote } from './world.ts'

const REMOTES = ['main', 'backup'] as const

/** Begins a fault now and gives what ends it. */
type Fault = (simulation: Simulation) => () => void

const nothing = (): void => {}

/** Calls between relay and Incus fail in one of the four ways; `share` of them. */
const weather =
  (share: number, kind: 'lost-before' | 'lost-after' | 'error' | 'any'): Fault =>
  ({ world }) => {
    world.weather.now = () => {
      if (world.random() >= share) return null
      const drawn = kind === 'any' ? (['lost-before', 'lost-after', 'error'] as const)[draw(world, 3)] : kind
      return drawn === 'error' ? ([500, 502, 503][draw(world, 3)] ?? 500) : (drawn ?? null)
    }
    return () => {
      world.weather.now = () => null
    }
  }

const kill =
  (remote: Remote): Fault =>
  ({ world }) => {
    // Somewhere within the minute, so that it can fall into a tick as well as between two.
    world.clock.after(Math.floor(world.random() * MINUTE), () => world.incus[remote].kill())
    return () => {
      world.clock.after(MINUTE, () => world.incus[remote].start())
    }
  }

const FAULTS: Record<string, Fault> = {
  'some calls fail': weather(0.1, 'any'),
  'many answers are lost': weather(0.5, 'lost-after'),
  'many calls are lost': weather(0.5, 'lost-before'),
  'many calls are refused': weather(0.5, 'error'),
  'main is killed': kill('main'),
  'backup is killed': kill('backup'),
  'the relay restarts': ({ world }) => {
    world.relay.restart()
    return nothing
  },
  'the relay is down': ({ world }) => {
    world.relay.up = false
    return () => {
      world.relay.up = true
      world.relay.restart()
    }
  },
  'the ledger is lost': ({ world, watch }) => {
    world.kv.wipe(['ledger'])
    watch.step()
    return nothing
  },
  'KV is wiped': ({ world, watch }) => {
    const config = world.kv.peek('config')
    world.kv.wipe()
    watch.step()
    // Somebody notices, and applies the file again.
    return () => {
      if (config !== null) world.kv.restore('config', config)
    }
  },
  'KV refuses writes': ({ world }) => {
    world.kv.refusing = true
    return () => {
      world.kv.refusing = false
    }
  },
}

const draw = ({ random }: Simulation['world'], count: number): number => Math.floor(random() * count)

/** Ticks of one minute: missing, single at some place, doubled, at the same time, or late. */
async function tickSomehow(simulation: Simulation, minute: Date): Promise<void> {
  const { world, watch, tick } = simulation
  const dice = world.random()
  if (dice < 0.1) return
  if (dice < 0.2) {
    await world.tickTogether(minute, [0, 1])
    watch.step()
  } else if (dice < 0.3) {
    await tick(minute, 0)
    await tick(minute, 1)
  } else if (dice < 0.4) {
    await world.clock.advance(Math.max(world.clock.now(), minute.getTime() + draw(world, 90_000)))
    await tick(minute, 1)
  } else await tick(minute, draw(world, 2))
}

/**
 * Passes a span in which faults begin and end, up to two at a time, most often while a copy is under way.
 * Tells what happened when, for whoever has to understand a failing seed.
 */
export async function storm(
  simulation: Simulation,
  until: Date,
  tell: (line: string) => void,
): Promise<void> {
  const { world } = simulation
  const running: { name: string; until: number; end: () => void }[] = []
  const settleDue = (now: number) => {
    for (const fault of running.filter((one) => one.until <= now)) {
      tell(`${new Date(fault.until).toISOString()} over: ${fault.name}`)
      fault.end()
      running.splice(running.indexOf(fault), 1)
    }
  }
  for (let at = startOf(world.clock.now()); at < until.getTime(); at += MINUTE) {
    settleDue(at)
    const copying = REMOTES.some((remote) => world.incus[remote].transfers.size > 0)
    if (running.length < 2 && world.random() < (copying ? 0.1 : 0.012)) {
      const names = Object.keys(FAULTS).filter((name) => running.every((one) => one.name !== name))
      const name = names[draw(world, names.length)] ?? ''
      tell(`${new Date(at).toISOString()} ${name}`)
      const end = FAULTS[name]?.(simulation) ?? nothing
      running.push({ name, end, until: at + (1 + draw(world, world.random() < 0.1 ? 180 : 15)) * MINUTE })
    }
    if (world.clock.now() < at) await world.clock.advance(at)
    await tickSomehow(simulation, new Date(at))
    world.incus.main.bandwidth = 2e6 + draw(world, 5) * 1e6
  }
  settleDue(Number.POSITIVE_INFINITY)
  await world.clock.advance(world.clock.now() + 2 * MINUTE)
}

const startOf = (now: number): number => Math.ceil(now / MINUTE) * MINUTE
