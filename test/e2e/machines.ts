/** Policies over virtual machines beside containers, never started ones: their disks are looked into. */
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, describe, expect, test } from 'vitest'
import { readEndState, wantedEndState } from './end-state.ts'
import { nextSecond, openStage, type Stage, type Theatre } from './stage.ts'
import { applyPolicy, KEPT, openTimeline, type Timeline } from './timeline.ts'

const WEB = 'e2e-web'
const VM = 'e2e-vm'
const KEY = `main/default/${VM}`

export function machinesEndToEnd(name: string, openPair: () => Promise<Theatre>): void {
  describe(`virtual machines beside containers, end to end, on ${name}`, { timeout: 240_000 }, () => {
    let stage: Stage
    let timeline: Timeline
    beforeAll(async () => {
      stage = await openStage(openPair)
      await stage.pair.main.createInstance({ name: WEB })
      await stage.pair.main.createInstance({ name: VM, type: 'virtual-machine' })
      await applyPolicy(stage, [WEB, VM])
      timeline = openTimeline(stage, [WEB, VM], 600_000)
      return () => stage.close()
    })

    test('snapshots are taken and expire, copies land, are refreshed and verified', async () => {
      for (let hour = 0; hour < KEPT + 2; hour++) {
        await timeline.strike()
        await timeline.settle()
      }
      expect(await readEndState(stage, timeline)).toEqual(wantedEndState(timeline))
    })

    test('the backup server is killed and comes back: what was copied stays whole, and copies go on', async () => {
      await timeline.strike()
      await stage.pair.backup.kill()
      for (let minute = 0; minute < 2; minute++) await timeline.tick()
      await stage.pair.backup.start()
      await timeline.settle()
      await timeline.strike()
      await timeline.settle()
      expect(await readEndState(stage, timeline)).toEqual(wantedEndState(timeline))
    })

    test('a snapshot of a machine becomes a new one, here and from the backup server', async () => {
      const [snapshot = '', marker = ''] = [...timeline.expected()].at(-1) ?? []
      const wish = { do: 'clone', instance: KEY, snapshot }
      for (const [as, from] of [
        ['here-vm', {}],
        ['there-vm', { from: 'backup' }],
      ] as const) {
        expect(await post('/api/run', { ...wish, as, ...from })).toMatchObject({ refusal: null })
        expect(await cloned(`main/default/${as}`)).toMatchObject({ state: 'done', attempts: 0 })
        expect(await stage.pair.main.readMarker({ name: as })).toBe(marker)
      }
    })

    test('a machine is restored in place, with its state before kept beside', async () => {
      const { main } = stage.pair
      const [snapshot = '', marker = ''] = [...timeline.expected()].at(-2) ?? []
      await main.write({ name: VM }, 'what must not be lost', 600_000)
      await nextSecond()
      const wish = { do: 'restore', instance: KEY, snapshot }
      const { digest } = (await post('/api/plan', wish)) as { digest: string }
      expect(await post('/api/run', { ...wish, confirm: digest })).toMatchObject({
        refusal: null,
        started: { restores: [KEY] },
      })
      expect(await restored()).toMatchObject({ state: 'done', snapshot })
      expect(await main.readMarker({ name: VM })).toBe(marker)
      const { safety } = await restored()
      expect(await main.readMarker({ name: VM }, safety)).toBe('what must not be lost')
    })

    const post = async (path: string, body: object): Promise<unknown> => {
      const response = await stage.worker.fetch(path, { method: 'POST', body: JSON.stringify(body) })
      const answer: unknown = await response.json()
      if (!response.ok) throw new Error(JSON.stringify(answer))
      return answer
    }
    type Cloned = { state: string; attempts: number; reason?: string }
    const cloned = async (key: string): Promise<Cloned | undefined> => {
      for (let tries = 0; ; tries++) {
        const status = await (await stage.worker.fetch('/api/status')).json()
        const one = (status as { clones: Record<string, Cloned> }).clones[key]
        if (one?.state === 'done' || one?.state === 'failed' || tries > 50) return one
        await sleep(200)
        await timeline.tick()
      }
    }
    type Restored = { state: string; snapshot: string; safety: string }
    const restored = async (): Promise<Restored> => {
      for (let tries = 0; ; tries++) {
        const status = await (await stage.worker.fetch('/api/status')).json()
        const restore = (status as { restores: Record<string, Restored> }).restores[KEY]
        if (restore?.state === 'done' || tries > 50) return restore ?? { state: '', snapshot: '', safety: '' }
        await sleep(200)
        await post('/api/run', {})
      }
    }
  })
}
