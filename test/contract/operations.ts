/** Operations: waiting, vanishing, cancelling. */

import { beforeAll, describe, expect, test } from 'vitest'
import { exists, readOperation, settle, startSnapshot, takeSnapshot } from './calls.ts'
import { fetchOffered, offer, settleBoth, startPull } from './copy.ts'
import type { World } from './incus.ts'
import { NESTED, type Operation } from './model.ts'
import type { ContractInstance } from './server.ts'

const NOBODY = '00000000-0000-4000-8000-000000000000'

export function operationContract(world: World): void {
  describe('an operation', () => {
    let it: ContractInstance
    let offered: Operation
    beforeAll(async () => {
      it = await world.createInstance('operated')
      await takeSnapshot(world.main, it, 'taken')
    })

    test('that succeeds is given back by the wait', async () => {
      const { id } = readOperation(await startSnapshot(world.main, it, 'ok'))
      const waited = await world.main.ask('waitOperation', { parameters: { operation: id } })
      expect(readOperation(waited)).toMatchObject({ id, status: 'Success', status_code: 200, err: '' })
    })

    test('that fails is a 200 in the wait, with an error inside or as it is, and tells all when read', async () => {
      const { id } = readOperation(await startSnapshot(world.main, it, 'taken'))
      const waited = await world.main.ask('waitOperation', { parameters: { operation: id } })
      expect(waited.status).toBe(200)
      const read = readOperation(await world.main.ask('getOperation', { parameters: { operation: id } }))
      expect(read).toMatchObject({ status: 'Failure', status_code: 400 })
      if (world.has(NESTED)) expect(readOperation(waited)).toEqual(read)
      else expect(waited.envelope).toMatchObject({ type: 'error', error_code: 500, error: read.err })
    })

    test('that is not over when the wait is looks the same as one that failed, up to 6.0.4', async () => {
      offered = readOperation(await offer({ from: world.main, to: world.backup, source: it }))
      const parameters = { operation: offered.id }
      const waited = await world.main.ask('waitOperation', { parameters, query: { timeout: '1' } })
      expect(waited.status).toBe(200)
      const error = 'context deadline exceeded'
      if (world.has(NESTED)) expect(readOperation(waited).status_code).toBe(103)
      else expect(waited.envelope).toMatchObject({ type: 'error', error_code: 500, error })
      expect(readOperation(await world.main.ask('getOperation', { parameters })).status_code).toBe(103)
    })

    test('that nobody fetched yet can be cancelled', async () => {
      const parameters = { operation: offered.id }
      const reply = await world.main.ask('cancelOperation', { parameters })
      expect([reply.status, reply.envelope.metadata]).toEqual([200, {}])
      expect(await settle(world.main, offered)).toMatchObject({ status: 'Cancelled', status_code: 401 })
    })

    test('that ended can no longer be cancelled', async () => {
      const reply = await world.main.ask('cancelOperation', { parameters: { operation: offered.id } })
      expect([reply.status, reply.envelope.error]).toEqual([400, 'Only running operations can be cancelled'])
    })

    test.for(['getOperation', 'waitOperation', 'cancelOperation'] as const)(
      'that is unknown is a 404 to %s',
      async (route) => {
        const reply = await world.main.ask(route, { parameters: { operation: NOBODY } })
        expect([reply.status, reply.envelope.error]).toEqual([404, 'Operation not found'])
      },
    )

    test('is forgotten five seconds after its end', async () => {
      const { id } = await settle(world.main, await startSnapshot(world.main, it, 'brief'))
      const status = async () =>
        (await world.main.ask('getOperation', { parameters: { operation: id } })).status
      await world.elapse(3)
      expect(await status()).toBe(200)
      await world.elapse(4)
      expect(await status()).toBe(404)
    })

    test('of a copy under way is cancelled at its source alone, and fails at its target', async () => {
      const source = await world.createInstance('cancelled')
      await world.main.server.write(source, 'one', 2_000_000)
      await takeSnapshot(world.main, source, 's1')
      await world.main.server.throttle(400_000)
      const copy = { from: world.main, to: world.backup, source }
      const started = await startPull(copy)
      await world.elapse(1)
      await world.main.server.throttle(null)
      const atTarget = await world.backup.ask('cancelOperation', {
        parameters: { operation: started.target.id },
      })
      expect([atTarget.status, atTarget.envelope.error]).toEqual([400, "This operation can't be cancelled"])
      const atSource = await world.main.ask('cancelOperation', {
        parameters: { operation: started.source.id },
      })
      expect(atSource.status).toBe(200)
      const ended = await settleBoth(copy, started)
      // Its end and its cancelling race with each other; the target's never does.
      expect(['Cancelled', 'Failure']).toContain(ended.source.status)
      expect(ended.target.status).toBe('Failure')
      expect(await exists(world.backup, source)).toBe(false)
    })

    test('of a source that is fetched with a wrong secret fails at the target', async () => {
      const copy = { from: world.main, to: world.backup, source: it, target: { name: world.fresh('wrong') } }
      const source = readOperation(await offer(copy))
      const secrets = { control: '0'.repeat(64), fs: '0'.repeat(64) }
      const target = await settle(world.backup, await fetchOffered(copy, source, { secrets }))
      expect(target.status).toBe('Failure')
      expect(target.err).toMatch(/websocket: bad handshake$/)
      expect(await exists(world.backup, copy.target)).toBe(false)
      await world.main.ask('cancelOperation', { parameters: { operation: source.id } })
    })
  })
}
