/** Restores in place of a virtual machine that runs, with its memory and without: `npm run lab:vm`. */
import { execFile } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Stage } from '../../e2e/stage.ts'
import { openTimeline, POLICY } from '../../e2e/timeline.ts'
import { POOL } from '../layout.ts'
import type { Pair } from '../pair.ts'
import { countOf, startGuest, untilCounting } from './guest.ts'
import { KEY, openMachines, VM } from './stage.ts'

/** So far the guest counts before its memory is kept: what begins anew is known by less. */
const LEAST = 20

describe('a virtual machine that runs is restored in place', () => {
  let pair: Pair
  let stage: Stage
  /** With memory, and without. */
  let kept: string
  let bare: string
  beforeAll(async () => {
    ;({ pair, stage } = await openMachines())
    await startGuest(pair.main, VM)
    const timeline = openTimeline(stage, [], 0)
    await untilCounting(pair.main, VM, LEAST)
    await applyPolicy(true)
    kept = await timeline.strike()
    await applyPolicy(false)
    bare = await timeline.strike()
    return () => stage.close()
  })

  const applyPolicy = (stateful: boolean): Promise<void> =>
    stage.apply({
      policies: {
        [POLICY]: { select: { remotes: ['main'] }, schedule: '0 * * * *', keep: { last: 9 }, stateful },
      },
    })
  const post = (path: string, body: object): Promise<Response> =>
    stage.worker.fetch(path, { method: 'POST', body: JSON.stringify(body) })
  const json = async <Answer>(response: Response): Promise<Answer> => (await response.json()) as Answer
  const status = async (): Promise<string> =>
    ((await pair.main.run('GET', `/1.0/instances/${VM}`)) as { status: string }).status

  /** What it came to, once it has ended. */
  async function restore(snapshot: string, stateful: boolean): Promise<{ state: string; reason?: string }> {
    const wish = { do: 'restore', instance: KEY, snapshot, stateful }
    const { digest } = await json<{ digest: string }>(await post('/api/plan', wish))
    expect((await post('/api/run', { ...wish, confirm: digest })).status).toBe(200)
    for (let tries = 0; tries < 120; tries++) {
      await sleep(1000)
      await post('/api/run', {})
      const { restores } = await json<{ restores: Record<string, { state: string; reason?: string }> }>(
        await stage.worker.fetch('/api/status'),
      )
      const known = restores[KEY]
      if (known?.state === 'done' || known?.state === 'failed') return known
    }
    throw new Error('its restore has no end')
  }

  /** The first one that isn't what the restored disk says: from memory it is more, from a start it is less. */
  async function nextCount(): Promise<number> {
    const then = await countOf(pair.main, VM, kept)
    for (let tries = 0; tries < 240; tries++) {
      const count = await countOf(pair.main, VM)
      if (count !== null && count !== then) return count
      await sleep(500)
    }
    throw new Error(`${VM} doesn't count any more`)
  }

  test('with the memory of its snapshot, and counts on from there', async () => {
    const then = (await countOf(pair.main, VM, kept)) ?? 0
    expect(then).toBeGreaterThanOrEqual(LEAST)
    const before = await untilCounting(pair.main, VM, then + LEAST)
    expect(await restore(kept, true)).toMatchObject({ state: 'done' })
    expect(await status()).toBe('Running')
    const now = await nextCount()
    expect(now).toBeGreaterThan(then)
    expect(now).toBeLessThan(before)
  })

  test('without it, and counts from one', async () => {
    expect(await restore(kept, false)).toMatchObject({ state: 'done' })
    expect(await status()).toBe('Running')
    expect(await nextCount()).toBeLessThan(LEAST)
  })

  test('not with a memory that its snapshot lacks, since Incus would leave it stopped', async () => {
    const refused = await post('/api/plan', { do: 'restore', instance: KEY, snapshot: bare, stateful: true })
    expect(refused.status).toBe(422)
    expect(await json(refused)).toMatchObject({ detail: expect.stringContaining('taken without its memory') })
    expect(await status()).toBe('Running')
    // What Incus does when it is asked all the same.
    const asked = pair.main.run('PUT', `/1.0/instances/${VM}`, { restore: bare, stateful: true })
    await expect(asked).rejects.toThrow(/Failed opening state file/)
    expect(await status()).toBe('Stopped')
    await pair.main.run('PUT', `/1.0/instances/${VM}/state`, { action: 'start' })
  })

  test('and boots anew where Incus can’t find the memory, which is told', async () => {
    const volume = join(pair.main.dir, 'storage-pools', POOL, 'virtual-machines-snapshots', VM, kept)
    await promisify(execFile)('btrfs', ['property', 'set', '-ts', volume, 'ro', 'false'])
    await rm(join(volume, 'state'))
    const { state, reason } = await restore(kept, true)
    expect(state).toBe('done')
    expect(reason).toMatch(/its memory was not restored, so it was booted without it: .*state/)
    expect(await status()).toBe('Running')
    expect(await nextCount()).toBeLessThan(LEAST)
  })
})
