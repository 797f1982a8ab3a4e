/**
 * A source that fails its copy before it has said what it offers, on real daemons: its own list of its snapshots and
 * its pool's are uneven, or somebody copies it just now. 6.0.4 takes that for "the source has no snapshots", and
 * removes all that the copy has.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, describe, expect, test } from 'vitest'
import { INCUSD, NEWER } from '../lab/installed.ts'
import type { Pair } from '../lab/pair.ts'
import { onRealIncus } from '../lab/real.ts'
import { backUp } from './backed-up.ts'
import { nextSecond, type Stage } from './stage.ts'
import type { Timeline } from './timeline.ts'

const NAME = 'e2e-uneven'
const IT = `/1.0/instances/${NAME}`
const BYTES = 200_000

for (const [version, incusd] of [
  ['6.0', INCUSD],
  ['7.0', NEWER],
] as const)
  onRealIncus(`an uneven source, on ${version}`, () => unevenEndToEnd(version, incusd), [incusd])

function unevenEndToEnd(version: string, incusd: string): void {
  describe(`an uneven source, on two real daemons of ${version}`, () => {
    let pair: Pair
    let stage: Stage
    let timeline: Timeline
    beforeAll(async () => {
      const begun = await backUp(incusd, [NAME], { bytes: BYTES, hours: 2 })
      pair = begun.pair
      stage = begun.stage
      timeline = begun.timeline
      return () => stage.close()
    })

    const copied = async (): Promise<string[]> =>
      ((await pair.backup.run('GET', `${IT}/snapshots?recursion=1`)) as { name: string }[]).map(
        ({ name }) => name,
      )
    const reasons = async (): Promise<string[]> => {
      const { copies } = (await (await stage.worker.fetch('/api/status')).json()) as {
        copies: Record<string, { reason?: string }>
      }
      return Object.values(copies).map(({ reason = '' }) => reason)
    }
    const forget = async (table: string, name: string): Promise<void> => {
      const query = `DELETE FROM ${table} WHERE name = '${name}'`
      await pair.main.run('POST', '/internal/sql', { database: 'global', query })
    }

    test.each([
      ['its pool alone has', 'instances_snapshots', 'its pool has snapshots that Incus does not list'],
      ['its pool has not', 'storage_volumes_snapshots', 'Incus lists snapshots that its pool does not have'],
    ])('with a snapshot that %s: its copy keeps everything, and the status says why', async (...row) => {
      const [, table, told] = row
      const name = `in-${table === 'instances_snapshots' ? 'pool' : 'record'}-alone`
      const before = await copied()
      expect(before.length).toBeGreaterThan(1)
      // Afterwards Incus takes none.
      const slot = await timeline.strike()
      await nextSecond()
      await pair.main.run('POST', `${IT}/snapshots`, { name })
      await forget(table, name)
      for (let minute = 0; minute < 4; minute++) {
        await timeline.tick()
        await sleep(200)
      }
      const said = (await reasons()).join('\n')
      expect(said).toContain(told)
      expect(said).toContain(name)
      expect(await copied()).toEqual(expect.arrayContaining(before))
      expect(await copied()).not.toContain(slot)
      await forget('instances_snapshots', name)
      await forget('storage_volumes_snapshots', name)
      await timeline.settle()
      expect(await copied()).toEqual(expect.arrayContaining([...before, slot]))
    })

    test('that somebody copies elsewhere just now: the refresh waits until that is over', async () => {
      const before = await copied()
      expect(before.length).toBeGreaterThan(1)
      const slot = await timeline.strike()
      await pair.main.throttle(150_000)
      const sent = await pair.main.admin('POST', IT, { migration: true, live: false, instance_only: false })
      const { id, metadata: secrets } = sent.metadata as { id: string; metadata: Record<string, string> }
      await pair.backup.admin('POST', '/1.0/instances', {
        ...{ name: 'by-hand', type: 'container', architecture: 'x86_64', config: {}, profiles: ['default'] },
        source: {
          ...{ type: 'migration', mode: 'pull', operation: `${pair.main.url}/1.0/operations/${id}`, secrets },
          certificate: pair.main.certificate,
        },
      })
      const told: string[] = []
      for (let minute = 0; minute < 4; minute++) {
        await timeline.tick()
        await sleep(400)
        told.push(...(await reasons()))
      }
      expect(told.join('\n')).toContain('Incus is not done with "Migrating instance"')
      expect(await copied()).toEqual(expect.arrayContaining(before))
      await pair.main.throttle(null)
      await timeline.settle()
      expect(await copied()).toEqual(expect.arrayContaining([...before.slice(1), slot]))
    }, 60_000)
  })
}
