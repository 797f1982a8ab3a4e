/** That a cluster of the lab is one, and leaves nothing on the machine. */
import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { startCluster } from './cluster.ts'
import { listLeftovers } from './leftovers.ts'
import { onRealIncus } from './real.ts'

onRealIncus('a cluster of three', () => {
  test('a cluster is one, goes on when a member is killed, and is gone when closed', async () => {
    const cluster = await startCluster()
    const [, second] = cluster.members
    const source = { type: 'none' }
    await cluster.run('POST', '/1.0/instances?target=n2', { name: 'lab-test', type: 'container', source })
    expect((await cluster.homeOf({ name: 'lab-test' })).id).toBe('n2')
    await second.kill()
    const [listed] = (await cluster.run('GET', '/1.0/instances?recursion=1')) as Record<string, unknown>[]
    expect(listed).toMatchObject({ name: 'lab-test', location: 'n2', status: 'Error', config: null })
    expect(await listLeftovers(cluster.dir)).not.toEqual([])
    await cluster.close()
    expect([await listLeftovers(cluster.dir), existsSync(cluster.dir)]).toEqual([[], false])
  })
})
