/** Whether the snapshot that somebody wants restored with its memory holds any: no listing of many tells that. */
import { request } from '../shared/incus/routes.ts'
import type { Ask } from '../shared/plan/ask.ts'
import { findInstance } from '../shared/plan/find.ts'
import type { World } from '../shared/plan/world.ts'
import type { Relay } from './incus/relay.ts'

/** What can't be read stays unknown. */
export async function withMemories(world: World, ask: Ask | undefined, relay: Relay): Promise<World> {
  if (ask?.do !== 'restore' || ask.stateful !== true) return world
  const found = findInstance(world, ask.instance)
  if (!found.ok) return world
  const { key, ref } = found.value
  const { remote, project, instance } = ref
  const list = request('listSnapshots', { instance }, { project, recursion: '1' })
  const id = `look ${key}`
  const { answers } = await relay.batch([{ id, steps: [{ remote, reply: true, ...list }] }])
  const answer = answers.get(id)
  const report = answer === 'accepted' ? undefined : answer?.[0]
  const rows: unknown = report?.ok === true ? report.metadata : null
  const row = (Array.isArray(rows) ? rows : []).find((one) => one?.name === ask.snapshot)
  if (typeof row?.stateful !== 'boolean') return world
  return { ...world, memories: new Map([[`${key}/${ask.snapshot}`, row.stateful]]) }
}
