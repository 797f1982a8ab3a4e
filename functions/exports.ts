/** Which exports the relay's stores have of an instance, also of one that is gone. */
import type { InstanceRecord } from '../shared/incus/inventory.ts'
import { type InstanceRef, subjectKey } from '../shared/incus/subject.ts'
import { refOf } from '../shared/plan/find.ts'
import type { Refusal } from '../shared/plan/plan.ts'
import { storesIn, type World } from '../shared/plan/world.ts'
import { deletesText, storeIn } from '../shared/policy/locks.ts'
import type { Job, RemoteReply } from '../shared/relay/protocol.ts'
import { ok, type Result } from '../shared/result.ts'
import { type ExportRow, parseSurvey, type StoredExports } from '../shared/work/export/manifest.ts'
import { reasonsOf } from '../shared/work/thinning/sort.ts'
import type { Relay } from './incus/relay.ts'
import { read } from './perform.ts'

/** `path`: as requests name an instance; one that isn't listed any more as `remote/project/instance`. */
export async function storedExportsOf(
  path: string,
  keeping: Parameters<typeof reasonsOf>[2],
  relay: Relay,
): Promise<Result<StoredExports, Refusal>> {
  const { world } = keeping
  const found = refOf(world, path)
  if (!found.ok) return found
  const ref = found.value
  const stores = storesIn(world)
  const answers = await read(
    stores.map((store) => jobOf(store, ref)),
    relay,
  )
  return ok({
    instance: subjectKey(ref),
    stores: stores.map((store) => {
      const report = answers.of(store)?.[0]
      const survey = report?.ok === true ? parseSurvey(report.metadata) : null
      const why = report?.ok === false ? report.error.message : (answers.error?.message ?? 'no answer')
      const rules = storeIn(world.remotes, store)
      const deletes = rules === undefined ? null : deletesText(rules)
      if (survey === null) return { store, exports: null, problem: why, strays: [], deletes }
      const { rows, strays } = survey
      const reasons = reasonsOf(subjectKey(ref), { store, rows }, keeping)
      const exports = newestFirst(rows).map((row) => ({ ...row, reason: reasons.get(row.name) ?? '' }))
      return { store, exports, problem: null, strays, deletes }
    }),
  })
}

/** Without the instances that somebody may not see, which an error could name. */
export function visibleOf(world: World, maySee: (key: string) => boolean): World {
  const remotes = Object.entries(world.remotes).map(([remote, reply]): [string, RemoteReply] => {
    if (!reply.ok) return [remote, reply]
    const isSeen = ({ project, name }: InstanceRecord): boolean =>
      maySee(subjectKey({ remote, project, instance: name }))
    const { instances, buckets } = reply.inventory
    const seen = {
      instances: instances.filter(isSeen),
      ...(buckets === undefined ? {} : { buckets: buckets.filter(isSeen) }),
    }
    return [remote, { ok: true, inventory: { ...reply.inventory, ...seen } }]
  })
  return { ...world, remotes: Object.fromEntries(remotes) }
}

const jobOf = (store: string, ref: InstanceRef): Job => ({
  id: store,
  steps: [{ do: 'survey-exports', ref, store }],
})

const newestFirst = (rows: readonly ExportRow[]): ExportRow[] =>
  [...rows].sort((one, other) => (one.name < other.name ? 1 : -1))
