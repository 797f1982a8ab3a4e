/** Which buckets a policy covers: they have no snapshots, so of all that a policy does they only get its exports. */
import { refuseWay } from '../incus/export-trust.ts'
import type { InstanceRecord } from '../incus/inventory.ts'
import type { InstanceRef } from '../incus/subject.ts'
import { own } from '../own.ts'
import type { RemoteReply } from '../relay/protocol.ts'
import type { Coverage, Covered } from './cover.ts'
import { compileGlobs } from './glob.ts'
import { storeIn } from './locks.ts'
import type { Policy, Selector } from './policy.ts'

export const coversBuckets = ({ buckets = [] }: Pick<Selector, 'buckets'>): boolean => buckets.length > 0

export const isBucket = ({ type }: Pick<InstanceRecord, 'type'>): boolean => type === 'bucket'

/** All that a policy's exports are made of. */
export const exportedBy = ({ covered, buckets = [] }: Pick<Coverage, 'covered' | 'buckets'>): Covered[] => [
  ...covered,
  ...buckets,
]

/** By globs over `pool::name`. */
export function bucketsBy({
  projects,
  buckets = [],
}: Selector): (ref: InstanceRef, record: InstanceRecord) => boolean {
  const inProject = compileGlobs(projects)
  const isNamed = compileGlobs(buckets)
  return ({ project }, { name }) => inProject(project) && isNamed(name)
}

/** What is kept of a policy for a bucket. */
export const forBucket = <Effective extends Pick<Covered, 'policy'>>(one: Effective): Effective => ({
  ...one,
  policy: { ...one.policy, stateful: false, copy: null },
})

/** What can't be exported now whatever is tried. */
export const unreadyOf = (
  buckets: readonly Covered[],
  replies: Readonly<Record<string, RemoteReply>>,
): { about: string; reason: string }[] =>
  buckets.flatMap(({ ref, key, record }) => {
    const reply = own(replies, ref.remote)
    const version = reply?.ok === true ? reply.inventory.server.version : null
    const why = version === null ? null : (refuseWay('backup of a bucket', version) ?? record.unready ?? null)
    return why === null ? [] : [{ about: key, reason: `it can't be exported: ${why}` }]
  })

/** A backup of a bucket has its keys in plain text, and who reads the store gets at the bucket. */
export function plainKeys(
  { name, paused, export: wish }: Policy,
  buckets: readonly Covered[],
  replies: Readonly<Record<string, RemoteReply>>,
): { about: string; reason: string }[] {
  const rules = wish == null ? undefined : storeIn(replies, wish.to)
  if (wish == null || paused || buckets.length === 0 || rules === undefined || rules.encrypted === true)
    return []
  return [
    { about: `policy ${name}`, reason: `the buckets that it covers are exported ${plainText(wish.to)}` },
  ]
}

export const plainText = (store: string): string =>
  `with their access keys, which stand in plain text in ${store}: name recipients for that store in relay.jsonc, so that it is encrypted`
