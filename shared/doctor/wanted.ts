/** What the relay is asked to look at, by what policies want and its inventory has shown. */
import type { InstanceRecord } from '../incus/inventory.ts'
import { type InstanceRef, volumeIn } from '../incus/subject.ts'
import { own } from '../own.ts'
import { targetOf } from '../policy/places.ts'
import type { ExamRequest, Way } from '../relay/exam.ts'
import type { Examined } from './examined.ts'

type Seen = Pick<Examined, 'remotes' | 'coverages'>

/** Of each remote, so many are looked at. */
const MOST = 50

export function examWanted(seen: Seen): ExamRequest {
  const { remotes, coverages } = seen
  const wanted = new Map(
    Object.entries(remotes).map(([remote, reply]) => [
      remote,
      {
        pools: new Set(reply.ok ? Object.keys(reply.inventory.pools) : []),
        projects: new Set<string>(),
      },
    ]),
  )
  for (const { ref, policy } of coverages.flatMap(({ covered }) => covered)) {
    const { copy } = policy
    wanted.get(ref.remote)?.projects.add(ref.project)
    if (copy === null) continue
    const target = targetOf(ref, copy)
    wanted.get(target.remote)?.projects.add(target.project)
    if (copy.pool !== null) wanted.get(target.remote)?.pools.add(copy.pool)
  }
  return {
    remotes: Object.fromEntries(
      [...wanted].map(([remote, { pools, projects }]) => [
        remote,
        { pools: [...pools].slice(0, MOST), projects: [...projects].slice(0, MOST) },
      ]),
    ),
    ways: waysWanted(seen).flatMap(({ tried }) => tried ?? []),
  }
}

/** `from` dials `to`. `tried`: with that snapshot; null: there is none. */
export type WantedWay = { from: string; to: string; mode: 'pull' | 'push'; tried: Way | null }

/** Each once. In relay mode no server dials another. */
export function waysWanted({ remotes, coverages }: Seen): WantedWay[] {
  const found = new Map<string, WantedWay>()
  for (const { ref, policy } of coverages.flatMap(({ covered }) => covered)) {
    const { copy } = policy
    if (copy === null || copy.transferMode === 'relay') continue
    const [from, to] = copy.transferMode === 'pull' ? [copy.remote, ref.remote] : [ref.remote, copy.remote]
    const key = `${from} ${to}`
    if (!found.has(key))
      found.set(key, { from, to, mode: copy.transferMode, tried: wayFrom(from, to, remotes) })
  }
  return [...found.values()].slice(0, MOST)
}

/** With any snapshot there, of an instance that nothing is done to just now. */
function wayFrom(remote: string, to: string, remotes: Seen['remotes']): Way | null {
  const reply = own(remotes, remote)
  if (reply?.ok !== true) return null
  const { instances, operations, unseen = [], taking = [] } = reply.inventory
  const isIdle = ({ project, name }: InstanceRecord): boolean =>
    !operations.some((one) => one.project === project && one.instances.includes(name))
  for (const record of instances) {
    const { project, name, snapshots } = record
    if (volumeIn(name) !== null || !isIdle(record)) continue
    const open = new Set([...unseen, ...taking])
    const whole = (snapshots ?? [])
      .map(([one]) => one)
      .filter((one) => !open.has(`${project}/${name}/${one}`))
    const snapshot = whole.find((one) => !one.includes('%'))
    const from: InstanceRef = { remote, project, instance: name }
    if (snapshot !== undefined) return { from, snapshot, to }
  }
  return null
}
