/** What stands still while it and its volumes are snapshotted: by whom it is let run again, and what it does meanwhile. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { listSnapshots, readInstance, settle, startSnapshot, succeed, takeSnapshot } from './calls.ts'
import type { World } from './incus.ts'
import type { ContractInstance } from './server.ts'

const MARK = 'user.stapes.pausing'

export function pauseContract(world: World): void {
  describe('an instance that stands still', () => {
    let it: ContractInstance
    const side = () => world.main
    const put = (action: string) =>
      side().ask('startInstance', { parameters: { instance: it.name }, body: { action } })
    const mark = (text: string) =>
      side().ask('markInstance', { parameters: { instance: it.name }, body: { config: { [MARK]: text } } })
    const status = async () => (await readInstance(side(), it)).status

    beforeAll(async () => {
      it = { name: world.fresh('paused') }
      await side().server.createInstance({ ...it, running: true })
    })
    afterAll(async () => {
      await side().server.setRunning(it, false)
    })

    test('says so, and stays so while a snapshot of it is taken, and after that', async () => {
      await mark('since')
      await succeed(side(), await put('freeze'))
      expect(await status()).toBe('Frozen')
      const started = await startSnapshot(side(), it, 's1')
      expect(await status()).toBe('Frozen')
      await succeed(side(), started)
      expect(await status()).toBe('Frozen')
      await succeed(side(), await put('unfreeze'))
      expect(await status()).toBe('Running')
    })

    test('has its marks in the snapshot, too', async () => {
      const [snapshot] = await listSnapshots(side(), it)
      expect(snapshot?.config).toMatchObject({ [MARK]: 'since' })
      await mark('')
      expect((await readInstance(side(), it)).config).not.toHaveProperty([MARK])
    })

    test('is not let run twice, nor stopped twice', async () => {
      expect((await settle(side(), await put('unfreeze'))).status).toBe('Failure')
      await succeed(side(), await put('freeze'))
      expect((await settle(side(), await put('freeze'))).status).toBe('Failure')
      await takeSnapshot(side(), it, 's2')
      await succeed(side(), await put('unfreeze'))
      expect(await status()).toBe('Running')
    })
  })
}
