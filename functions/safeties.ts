/** Reads the safety snapshots that restores have left and nothing else tells of: they know what was held. */
import { request } from '../shared/incus/routes.ts'
import type { Ledger } from '../shared/ledger/ledger.ts'
import { safetiesLeft } from '../shared/plan/lost-restore.ts'
import type { Left, World } from '../shared/plan/world.ts'
import type { JobAnswer, Relay } from './incus/relay.ts'

/** Null stands for one that could not be read. There hardly ever is any, and then this is one call more. */
export async function withSafeties(world: World, ledger: Ledger, relay: Relay, now: Date): Promise<World> {
  const left = safetiesLeft(world, ledger, now)
  if (left.length === 0) return world
  const { answers } = await relay.batch(
    left.map(({ key, ref: { remote, project, instance } }) => {
      const list = request('listSnapshots', { instance }, { project, recursion: '1' })
      return { id: `look ${key}`, steps: [{ remote, reply: true, ...list }] }
    }),
  )
  const read = left.map(({ key, safety }) => [key, configOf(answers.get(`look ${key}`), safety)] as const)
  return { ...world, safeties: new Map(read) }
}

function configOf(answer: JobAnswer | undefined, safety: string): Left | null {
  const report = answer === 'accepted' ? undefined : answer?.[0]
  const rows: unknown = report?.ok === true ? report.metadata : null
  const row = (Array.isArray(rows) ? rows : []).find((one) => one?.name === safety)
  const config: unknown = row?.config
  if (typeof config !== 'object' || config === null) return null
  const texts = Object.entries(config).filter((one): one is [string, string] => typeof one[1] === 'string')
  return { safety, config: Object.fromEntries(texts) }
}
