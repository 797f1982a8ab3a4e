/** Which custom volumes a policy covers, what holds for them, and what is told of those that it doesn't. */
import type { InstanceRecord } from '../incus/inventory.ts'
import { type InstanceRef, volumeName } from '../incus/subject.ts'
import { own } from '../own.ts'
import { configCommand } from '../shell.ts'
import type { Covered } from './cover.ts'
import { compileGlobs } from './glob.ts'
import { isTrue, NO_VOLUMES, PREFIX } from './marks.ts'
import type { Policy, Selector } from './policy.ts'

type Problem = { about: string; reason: string }

/** In a policy's `volumes`: those that are attached to the instances that it covers. Others are globs over `pool:name`. */
export const ATTACHED = 'attached'

export const coversVolumes = ({ volumes = [] }: Pick<Selector, 'volumes'>): boolean => volumes.length > 0

export const isVolume = ({ type }: Pick<InstanceRecord, 'type'>): boolean => type === 'volume'

/** By their keys: nobody is to read of what they may not see. */
export const usersText = (remote: string, users: readonly string[] = []): string =>
  users.map((user) => `${remote}/${user}`).join(', ')

/** The instances that volumes among these are attached to, as `project/instance`. */
export const usersIn = (records: readonly InstanceRecord[]): ReadonlySet<string> =>
  new Set(records.flatMap(({ users = [] }) => users))

/** `selected`: keys of the instances that the policy covers on this remote. */
export function volumesBy(
  { projects, volumes = [] }: Selector,
  selected: ReadonlySet<string>,
): (ref: InstanceRef, record: InstanceRecord) => boolean {
  const inProject = compileGlobs(projects)
  const isNamed = compileGlobs(volumes.filter((one) => one !== ATTACHED))
  const attached = volumes.includes(ATTACHED)
  return ({ remote, project }, { name, users = [] }) =>
    (inProject(project) && isNamed(name)) ||
    (attached && users.some((user) => selected.has(`${remote}/${user}`)))
}

/** Each member of a cluster may have a volume of that name, and requests don't tell them apart. */
export const isOfMember = ({ type, location }: Pick<InstanceRecord, 'type' | 'location'>): boolean =>
  type === 'volume' && location !== '' && location !== 'none'

/** What is kept of a policy for a volume: it has no memory, and one of a cluster's member isn't exported yet. */
export function forVolume<Effective extends Pick<Covered, 'policy' | 'record'>>(one: Effective): Effective {
  const { policy, record } = one
  return {
    ...one,
    policy: { ...policy, stateful: false, export: isOfMember(record) ? null : policy.export },
  }
}

/** The policy has exports and no copy, and nobody has said that the volume needs none. `merged`: as it holds for it. */
export function unexported({ ref, key, record, policy: merged }: Covered, policy: Policy): Problem[] {
  if (!isOfMember(record) || policy.export == null || merged.copy !== null) return []
  if (own(record.config, `${PREFIX}copy`) === 'false') return []
  return [
    {
      about: key,
      reason: `stapes makes no exports of the volumes of a cluster's members yet: the snapshots of this one stay in its own pool, and are lost with that. Back it up in another way, then: ${configCommand(ref, 'set', `${PREFIX}copy=false`)}`,
    },
  ]
}

/** Of all policies: the volumes that they cover, by user, as `remote/project/instance volume`. */
export const coveredUses = (
  all: readonly (readonly Pick<Covered, 'ref' | 'record'>[])[],
): ReadonlySet<string> =>
  new Set(
    all.flatMap((covered) =>
      covered.flatMap(({ ref, record }) =>
        (record.users ?? []).map((user) => `${ref.remote}/${user} ${record.name}`),
      ),
    ),
  )

const NAMED = 10

/** Incus has no custom volume in an instance's snapshot, nor in its copy. */
export function unbackedVolumes(
  { ref, key, record: { volumes = [], config } }: Covered,
  uses: ReadonlySet<string>,
): Problem[] {
  const left = isTrue(config[NO_VOLUMES]) ? [] : volumes.filter((one) => !uses.has(`${key} ${nameOf(one)}`))
  if (left.length === 0) return []
  const what = left.length === 1 ? 'volume' : 'volumes'
  const names = left.slice(0, NAMED).join(', ')
  const more = left.length > NAMED ? ` and ${left.length - NAMED} more` : ''
  return [
    {
      about: key,
      reason: `stapes doesn't back up its custom ${what} ${names}${more}: no snapshot or copy of an instance has the data of such a volume. Have a policy cover them ("volumes": ["${ATTACHED}"] in its "select"), or back them up in another way, then: ${configCommand(ref, 'set', `${NO_VOLUMES}=true`)}`,
    },
  ]
}

/** `pool/volume`, as an instance names it, as a subject is called. */
const nameOf = (attached: string): string => {
  const slash = attached.indexOf('/')
  return volumeName(attached.slice(0, slash), attached.slice(slash + 1))
}
