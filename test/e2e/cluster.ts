/** Backups of a cluster and onto one, while its members die, are evacuated and come back. */
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, describe, expect, test } from 'vitest'
import { parseSnapshotName, snapshotName } from '../../shared/incus/snapshot-name.ts'
import type { Member } from '../lab/cluster.ts'
import { SHARED_PROFILES } from '../lab/layout.ts'
import type { ClusterTheatre } from './cluster-theatre.ts'
import { nextSecond, openStage, type Stage } from './stage.ts'
import type { InstanceView } from './timeline.ts'

/** Those of the cluster are named after the member they are made on; the other server's end up anywhere. */
const IN_CLUSTER = ['c-n1', 'c-n2', 'c-n3']
const ALONE = ['m-1', 'm-2', 'm-3']
const KEPT = 3
const BYTES = 300_000
const SLOWLY = 200_000

const POLICIES = {
  // By a key, of which Incus tells nothing while a member is away.
  out: {
    select: { remotes: ['backup'], config: { 'user.tier': 'gold' } },
    schedule: '0 * * * *',
    keep: { last: KEPT },
    copy: { remote: 'main' },
  },
  in: {
    select: { remotes: ['main'], instances: ['m-*'] },
    schedule: '0 * * * *',
    keep: { last: KEPT },
    copy: { remote: 'backup' },
  },
}

const HOUR = 3_600_000
const MINUTE = 60_000
const PATIENCE = 90_000
/** Minutes of an hour that pass as fast as they can be served. */
const BRISK = 10

type Viewed = InstanceView & { problem?: string }

export function clusterEndToEnd(name: string, openCluster: () => Promise<ClusterTheatre>): void {
  describe(`a cluster, end to end, on ${name}`, { timeout: 2 * PATIENCE }, () => {
    let theatre: ClusterTheatre
    let stage: Stage
    let hours: Hours
    beforeAll(async () => {
      theatre = await openCluster()
      stage = await openStage(async () => theatre)
      for (const member of theatre.cluster.members) await createOn(theatre, member, `c-${member.id}`)
      for (const instance of ALONE) await theatre.single.createInstance({ name: instance })
      await stage.apply({ policies: POLICIES })
      hours = openHours(stage, theatre)
      return () => stage.close()
    })

    const member = (id: string): Member => {
      const found = theatre.cluster.members.find((one) => one.id === id)
      if (found === undefined) throw new Error(`there is no member ${id}`)
      return found
    }
    /** Whether source or copy is on that member. */
    const livesOn = async (id: string): Promise<Set<string>> => {
      const { run } = theatre.cluster
      const listed = (await run('GET', '/1.0/instances?recursion=1')) as { name: string; location: string }[]
      return new Set(listed.flatMap((one) => (one.location === id ? [one.name] : [])))
    }

    test('copies go both ways, expire and are verified, with their data', async () => {
      for (let hour = 0; hour < KEPT + 2; hour++) {
        await hours.strike()
        await hours.untilVerified()
      }
      await hours.expectData()
    })

    test.for(['n2', 'n1'])(
      'while %s is away the others are served; what lives there is unknown, told, and left alone',
      async (id) => {
        const away = await livesOn(id)
        const before = await hours.held(away)
        await member(id).kill()
        for (let hour = 0; hour < 2; hour++) {
          await hours.strike(away)
          await hours.untilVerified(away)
        }
        const { instances, problems } = await hours.look()
        const lost = instances.filter(
          ({ instance }) => instance.startsWith('backup/') && away.has(nameOf(instance)),
        )
        expect(lost.map(({ instance }) => nameOf(instance))).toEqual([`c-${id}`])
        expect(lost.map(({ snapshots, problem }) => [snapshots, problem])).toEqual([
          [null, expect.stringContaining(`cluster member ${id} gives no answer`)],
        ])
        expect(problems.map(({ about }) => about)).toContain(`backup, member ${id}`)
        await member(id).start()
        await expect.poll(() => hours.held(away), { timeout: PATIENCE }).toEqual(before)
        await hours.strike()
        await hours.untilVerified()
        await hours.expectData()
      },
    )

    test('the copies of an evacuated member move, and are refreshed and verified where they are', async () => {
      const moved = await livesOn('n3')
      expect(moved.size).toBeGreaterThan(0)
      const state = '/1.0/cluster/members/n3/state'
      await theatre.cluster.run('POST', state, { action: 'evacuate', mode: 'migrate' })
      expect(await livesOn('n3')).toEqual(new Set())
      await hours.strike()
      await hours.untilVerified()
      await hours.expectData()
      await theatre.cluster.run('POST', state, { action: 'restore' })
      expect(await livesOn('n3')).toEqual(moved)
      await hours.strike()
      await hours.untilVerified()
      await hours.expectData()
    })

    test('a first copy goes onto the member that the policy names, and one that isn’t there is told', async () => {
      const placed = (target: string) => ({
        select: { remotes: ['main'], instances: [`to-${target}`] },
        schedule: '0 * * * *',
        copy: { remote: 'backup', target },
      })
      for (const name of ['to-n3', 'to-nowhere']) await theatre.single.createInstance({ name })
      await stage.apply({ policies: { ...POLICIES, placed: placed('n3'), lost: placed('nowhere') } })
      await hours.strike()
      await hours.until('it was not copied, or the other not refused', (all) => {
        const copiesOf = (name: string) =>
          all.flatMap(({ instance, copies }) => (nameOf(instance) === name ? copies : []))
        return (
          copiesOf('to-n3').some(({ verified }) => verified.length > 0) &&
          copiesOf('to-nowhere').some(({ state }) => state === 'failed')
        )
      })
      const status = await (await stage.worker.fetch('/api/status')).json()
      await stage.apply({ policies: POLICIES })
      expect((await theatre.cluster.homeOf({ name: 'to-n3' })).id).toBe('n3')
      expect(status).toMatchObject({
        copies: {
          'main/default/to-nowhere>backup/default/to-nowhere': {
            reason: expect.stringContaining('set "copy.target" to a member or group that exists'),
          },
        },
      })
    })

    test('projects are backed up whatever they are called', async () => {
      const made: string[] = []
      for (const name of ['ünï', 'a%b', 'x#y', 'a,b']) {
        const make = ({ run }: Pick<Member, 'run'>) =>
          run('POST', '/1.0/projects', { name, config: SHARED_PROFILES })
        // 7.0 takes letters of ASCII only.
        const isTaken = await make(theatre.single).then(
          () => true,
          () => false,
        )
        if (!isTaken) continue
        await make(theatre.cluster)
        await theatre.single.createInstance({ project: name, name: 'p-1' })
        made.push(name)
      }
      expect(made).toEqual(expect.arrayContaining(['a%b', 'x#y', 'a,b']))
      const select = { remotes: ['main'], projects: made, instances: ['p-*'] }
      const projects = { select, schedule: '0 * * * *', copy: { remote: 'backup' } }
      await stage.apply({ policies: { ...POLICIES, projects } })
      await hours.strike()
      await hours.until('not all projects were copied', (all) =>
        made.every((project) =>
          all.some(
            ({ instance, copies }) =>
              instance === `main/${project}/p-1` && copies.some(({ verified }) => verified.length > 0),
          ),
        ),
      )
      await stage.apply({ policies: POLICIES })
    })

    test('a member that dies in mid-copy leaves no phantom', async () => {
      const [victim] = await Promise.all([
        theatre.cluster.homeOf({ name: 'm-1' }),
        theatre.single.throttle(SLOWLY),
      ])
      await hours.strike()
      await hours.untilCopying('main/default/m-1')
      await sleep(800)
      await victim.kill()
      await theatre.single.throttle(null)
      for (let minute = 0; minute < 3; minute++) await hours.tick()
      await victim.start()
      await hours.untilVerified()
      await hours.strike()
      await hours.untilVerified()
      await hours.expectData()
    })
  })
}

async function createOn({ cluster }: ClusterTheatre, { id }: Member, name: string): Promise<void> {
  const body = { name, type: 'container', source: { type: 'none' }, config: { 'user.tier': 'gold' } }
  await cluster.run('POST', `/1.0/instances?target=${id}`, body)
}

const nameOf = (instance: string): string => instance.split('/').at(-1) ?? ''

type Hours = ReturnType<typeof openHours>

/** Hours in seconds: one tick after the other, as fast as they can be served. */
function openHours({ worker }: Stage, { main, backup, cluster }: ClusterTheatre) {
  let hour = Math.floor(Date.now() / HOUR) * HOUR - 60 * HOUR
  let minute = hour
  /** By instance and snapshot: the data that it was taken of. */
  const written = new Map<string, string>()
  const none: ReadonlySet<string> = new Set()
  const policyOf = (name: string) => (IN_CLUSTER.includes(name) ? 'out' : 'in')
  const sidesOf = (name: string) => (IN_CLUSTER.includes(name) ? [backup, main] : [main, backup])
  const slotOf = (name: string) => snapshotName({ policy: policyOf(name), slot: new Date(hour) })

  /** Of the hour: by its slot's name, or by that of a later moment, where it was taken late. */
  const newestOf = (snapshots: readonly string[]) =>
    snapshots.find((name) => (parseSnapshotName(name)?.slot.getTime() ?? 0) >= hour)

  const look = async () => {
    const response = await worker.fetch('/api/instances')
    if (!response.ok) throw new Error(await response.text())
    return (await response.json()) as {
      instances: Viewed[]
      problems: { about: string; reason: string }[]
    }
  }
  const tick = () => {
    minute += MINUTE
    return worker.tick(new Date(minute))
  }
  const until = async (what: string, isSo: (all: Viewed[]) => boolean): Promise<void> => {
    const end = Date.now() + PATIENCE
    while (minute < hour + HOUR - MINUTE && Date.now() < end) {
      await tick()
      if (isSo((await look()).instances)) return
      // Tries come after minutes, and a member that was away needs seconds to be ready.
      await sleep(minute - hour < BRISK * MINUTE ? 150 : 1_500)
    }
    const status = await (await worker.fetch('/api/status')).text()
    throw new Error(`${what}: ${JSON.stringify(await look(), null, 1)}\n${status}`)
  }
  return {
    look,
    tick,
    until,
    /** The next hour: fresh data in each instance that can be written to, and a tick. */
    async strike(away = none) {
      hour += HOUR
      minute = hour - MINUTE
      await nextSecond()
      for (const name of [...IN_CLUSTER, ...ALONE]) {
        const [source] = sidesOf(name)
        if (IN_CLUSTER.includes(name) && away.has(name)) continue
        const marker = `data of ${name} for ${slotOf(name)}`
        await source?.write({ name }, marker, BYTES)
        written.set(`${name}/${slotOf(name)}`, marker)
      }
      await tick()
    },
    /** The hour's snapshot of each, but of what is away. */
    untilVerified: (away = none) =>
      until('its copy was not verified', (all) =>
        [...IN_CLUSTER, ...ALONE]
          .filter((name) => !away.has(name))
          .every((name) =>
            all.some(
              ({ instance, copies }) =>
                nameOf(instance) === name && copies.some(({ verified }) => newestOf(verified) !== undefined),
            ),
          ),
      ),
    untilCopying: (instance: string) =>
      until('no copy ran', (all) =>
        all.some((one) => one.instance === instance && one.copies.some(({ state }) => state === 'running')),
      ),
    /** What the cluster has of these, as Incus lists it. */
    async held(names: ReadonlySet<string>): Promise<Record<string, unknown>> {
      const list = async (name: string) => [
        name,
        await cluster.run('GET', `/1.0/instances/${name}/snapshots`).catch(() => 'can’t be listed'),
      ]
      return Object.fromEntries(await Promise.all([...names].map(list)))
    },
    /** What counts as a backup is what was there when it was taken, on both sides. */
    async expectData() {
      const { instances } = await look()
      const views = instances.filter(
        ({ instance, copies }) => copies.length > 0 && [...IN_CLUSTER, ...ALONE].includes(nameOf(instance)),
      )
      expect(views.map(({ instance }) => nameOf(instance)).sort()).toEqual([...IN_CLUSTER, ...ALONE])
      for (const { instance, copies } of views) {
        const name = nameOf(instance)
        const [source, target] = sidesOf(name)
        for (const snapshot of copies[0]?.verified ?? []) {
          const marker = written.get(`${name}/${snapshot}`)
          // One that was taken late, after its member came back, is of the data from before.
          const wanted = marker ?? expect.stringMatching(/^data of/)
          expect(await target?.readMarker({ name }, snapshot), `${name}/${snapshot}`).toEqual(wanted)
        }
        const newest = newestOf(copies[0]?.verified ?? []) ?? slotOf(name)
        expect(await source?.readMarker({ name }, newest)).toBe(written.get(`${name}/${slotOf(name)}`))
        expect(copies[0]?.unverified, name).toEqual([])
      }
    },
  }
}
