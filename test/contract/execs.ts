/** Commands in an instance whose output is recorded, as the hooks of a group need them. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { readOperation, settle } from './calls.ts'
import type { World } from './incus.ts'
import type { ContractInstance } from './server.ts'

const resultSchema = z.object({ return: z.number(), output: z.record(z.string(), z.string()) })

export function execContract(world: World): void {
  describe('a command in an instance', () => {
    let it: ContractInstance
    const exec = (...command: string[]) =>
      world.main.ask('execInstance', {
        parameters: { instance: it.name },
        body: { command, 'record-output': true, interactive: false, 'wait-for-websocket': false },
      })
    const output = (file: string) => ({ parameters: { instance: it.name, file } })
    const put = (action: string) =>
      world.main.ask('startInstance', { parameters: { instance: it.name }, body: { action } })

    beforeAll(async () => {
      it = { name: world.fresh('commanded') }
      await world.main.server.createInstance({ ...it, running: true })
    })
    afterAll(async () => {
      await world.main.server.setRunning(it, false)
    })

    test('says how it ended, and has written two files, until they are removed', async () => {
      const started = await exec('sh', '-c', 'echo wrong >&2; exit 3')
      const { id, class: kind, may_cancel } = readOperation(started)
      expect([started.status, kind, may_cancel]).toEqual([202, 'task', false])
      const ended = await settle(world.main, started)
      expect([ended.status, ended.description]).toEqual(['Success', 'Executing command'])
      expect(resultSchema.parse(ended.metadata)).toEqual({
        return: 3,
        output: {
          1: `/1.0/instances/${it.name}/logs/exec-output/exec_${id}.stdout`,
          2: `/1.0/instances/${it.name}/logs/exec-output/exec_${id}.stderr`,
        },
      })
      const error = await world.main.file('getExecOutput', output(`exec_${id}.stderr`))
      expect([error.status, Buffer.from(error.bytes).toString()]).toEqual([200, 'wrong\n'])
      expect(error.headers['content-length']).toBe('6')
      for (const name of ['stdout', 'stderr']) {
        const removed = await world.main.ask('deleteExecOutput', output(`exec_${id}.${name}`))
        expect([removed.status, removed.envelope.type]).toEqual([200, 'sync'])
        expect((await world.main.ask('deleteExecOutput', output(`exec_${id}.${name}`))).status).toBe(404)
      }
    })

    test('runs on in the instance, and can’t be cancelled', async () => {
      const started = await exec('sleep', '2')
      const { id } = readOperation(started)
      const cancelled = await world.main.ask('cancelOperation', { parameters: { operation: id } })
      expect([cancelled.status, cancelled.envelope.error]).toEqual([400, "This operation can't be cancelled"])
      const waited = await world.main.ask('waitOperation', {
        parameters: { operation: id },
        query: { timeout: '0' },
      })
      expect(waited.status).toBe(200)
      expect((await settle(world.main, started)).status).toBe('Success')
    })

    test('that isn’t there fails', async () => {
      const ended = await settle(world.main, await exec('nothing-of-the-kind'))
      expect([ended.status, ended.err]).toEqual(['Failure', expect.stringContaining('not found')])
    })

    test('is refused where the instance stands still, or doesn’t run', async () => {
      await settle(world.main, await put('freeze'))
      const frozen = await exec('true')
      expect([frozen.status, frozen.envelope.error]).toEqual([400, 'Instance is frozen'])
      await settle(world.main, await put('unfreeze'))
      await world.main.server.setRunning(it, false)
      const stopped = await exec('true')
      expect([stopped.status, stopped.envelope.error]).toEqual([400, 'Instance is not running'])
      await world.main.server.setRunning(it, true)
    })
  })
}
