/**
 * Instances that a policy takes together with custom volumes of which some can't be listed now: who is in the group isn't known
 * then, so that nothing of them may be taken or go as if they were alone.
 */
import { instanceOf, subjectKey, volumeName } from '../incus/subject.ts'
import { own } from '../own.ts'
import type { RemoteReply } from '../relay/protocol.ts'
import type { Coverage, Covered } from './cover.ts'
import { isTrue, NO_VOLUMES } from './marks.ts'
import { isVolume, volumesBy } from './volumes.ts'

/** Their snapshots count as not known in this policy, with the reason. */
export function withUnknownVolumes<One extends Covered>(
  { policy, covered }: { policy: Coverage['policy']; covered: readonly One[] },
  replies: Readonly<Record<string, RemoteReply>>,
): One[] {
  if (policy.together == null) return [...covered]
  return covered.map((one) => {
    const reply = own(replies, one.ref.remote)
    if (reply?.ok !== true || isVolume(one.record)) return one
    const [why] = reply.inventory.unlisted ?? []
    if (why === undefined) return one
    const known = new Set(
      reply.inventory.instances.flatMap((record) =>
        isVolume(record) ? [`${one.ref.remote}/${record.project}/${record.name}`] : [],
      ),
    )
    const [unknown] = wantedBy(policy, one).filter((places) => !places.some((key) => known.has(key)))
    if (unknown === undefined) return one
    const problem = `it is taken together with its custom volumes, of which not all are known: ${why}`
    return { ...one, record: { ...one.record, snapshots: null, problem } }
  })
}

/** Of each attached volume that the policy covers, if it is there: its key, in its own project or in `default`. */
function wantedBy({ select }: Coverage['policy'], { ref, key, record }: Covered): string[][] {
  const { volumes = [], config } = record
  const covers = volumesBy(select, new Set(isTrue(config[NO_VOLUMES]) ? [] : [key]))
  return volumes.flatMap((attached) => {
    const slash = attached.indexOf('/')
    const name = volumeName(attached.slice(0, slash), attached.slice(slash + 1))
    const places = [ref.project, 'default'].map((project) => subjectKey({ ...ref, project, instance: name }))
    const users = [`${ref.project}/${ref.instance}`]
    return places.some((place) => covers(instanceOf(place), { ...record, name, users })) ? [places] : []
  })
}
