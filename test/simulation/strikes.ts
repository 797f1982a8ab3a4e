/** What is killed or lost in the middle of work, at a request that is counted out. */
import { MINUTE } from './scenes.ts'
import type { Weather, World } from './world.ts'

type Kill = (world: World) => void
export type Strike = [what: string, strike: Kill]
type Asked = (...asked: Parameters<Weather>) => boolean

export const killRelay: Kill = ({ relay }) => relay.kill()

const killServer: Kill = ({ incus: { main } }) => {
  main.kill()
  main.start()
}

export const RELAY_KILLED: Strike = ['the relay is killed', killRelay]
export const RELAY_RESTARTED: Strike = [
  'the relay restarts, and the former one goes on',
  ({ relay }) => relay.restart(),
]
export const SERVER_KILLED: Strike = ['the server is killed', killServer]
export const ALL_KILLED: Strike = [
  'relay and server are killed, and the ledger is lost',
  (world) => {
    world.relay.kill()
    killServer(world)
    world.kv.wipe(['ledger'])
  },
]

/** The server is away for a minute. */
export const KILLED: [victim: string, kill: Kill][] = [
  ['relay', killRelay],
  [
    'server',
    ({ clock, incus: { main } }) => {
      main.kill()
      clock.after(MINUTE, () => main.start())
    },
  ],
]

/** Counts such requests from now on. */
export function countIn({ weather }: World, isOfIt: Asked): () => number {
  let count = 0
  weather.now = (...asked) => {
    if (isOfIt(...asked)) count += 1
    return null
  }
  return () => count
}

/** Has it happen once, with the request after so many such ones on its way. Tells whether it has. */
function onceAfter(
  { weather }: World,
  count: number,
  isOfIt: Asked,
  happens: () => ReturnType<Weather>,
): () => boolean {
  let left = count
  let hasHappened = false
  weather.now = (...asked) => {
    if (hasHappened || !isOfIt(...asked) || left-- > 0) return null
    hasHappened = true
    return happens()
  }
  return () => hasHappened
}

/** Strikes just after the request of that number, from one on, has gone. */
export function strikeAt(world: World, [number, strike]: [number, Kill], isOfIt: Asked): void {
  onceAfter(world, number - 1, isOfIt, () => {
    world.clock.after(1, () => strike(world))
    return null
  })
}

/** Kills with the request after so many such ones on its way, which meets that weather. Tells whether it has. */
export const killAfter = (
  world: World,
  [count, kill]: [number, Kill],
  isOfIt: Asked,
  meets: ReturnType<Weather> = null,
): (() => boolean) =>
  onceAfter(world, count, isOfIt, () => {
    kill(world)
    return meets
  })
