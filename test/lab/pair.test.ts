/** That the lab leaves nothing on the machine, whatever happened to it, and that its servers can be upgraded. */

import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { afterAll, describe, expect, test } from 'vitest'
import { INCUSD, missingForLab, NEWER } from './installed.ts'
import { processesOf } from './leftovers.ts'
import { endKept, listKept, startPair, sweep } from './pair.ts'
import { onRealIncus } from './real.ts'

/** Asked of the system itself, not of the code under test. */
async function tracesOf(dir: string): Promise<string[]> {
  const lines = [
    ...readFileSync('/proc/mounts', 'utf8').split('\n'),
    ...execFileSync('losetup', ['--list'], { encoding: 'utf8' }).split('\n'),
  ].filter((line) => line.includes(dir))
  const cgroups = execFileSync('find', ['/sys/fs/cgroup', '-name', 'lxc.*.lab-test*'], { encoding: 'utf8' })
  const files = existsSync(dir) ? [dir] : []
  return [...lines, ...cgroups.split('\n').filter(Boolean), ...(await processesOf(dir)).map(String), ...files]
}

describe.skipIf(missingForLab() !== null)('a real pair', () => {
  // Whatever a failed test leaves is swept once its process is gone.
  afterAll(() => sweep())

  test('is gone when closed, running containers included', async () => {
    const pair = await startPair()
    await pair.main.createInstance({ name: 'lab-test', running: true })
    expect(await tracesOf(pair.dir)).not.toEqual([])
    await pair.close()
    expect(await tracesOf(pair.dir)).toEqual([])
  })

  test('is gone when closed after its daemon was killed', async () => {
    const pair = await startPair()
    await pair.main.createInstance({ name: 'lab-test-killed', running: true })
    await pair.main.kill()
    await pair.close()
    expect(await tracesOf(pair.dir)).toEqual([])
  })

  test('comes back after a kill with its instances', async () => {
    const pair = await startPair()
    await pair.backup.createInstance({ name: 'lab-test-back' })
    await pair.backup.kill()
    await pair.backup.start()
    expect(await pair.backup.run('GET', '/1.0/instances')).toEqual(['/1.0/instances/lab-test-back'])
    await pair.close()
  })

  test('that is to be kept outlives a sweep, and is ended by its name alone', async () => {
    const [kept, other] = [await startPair({ keep: true }), await startPair({ keep: true })]
    await sweep()
    expect(await listKept()).toEqual(expect.arrayContaining([kept.dir, other.dir]))
    expect(await endKept(kept.dir)).toBe(true)
    expect(await tracesOf(kept.dir)).toEqual([])
    expect(await tracesOf(other.dir)).not.toEqual([])
    expect(await endKept(other.dir)).toBe(true)
    expect(await endKept(other.dir)).toBe(false)
  })

  test('of a process that was killed is swept by the next', async () => {
    const url = new URL('./pair.ts', import.meta.url).href
    const script = `
      const { startPair } = await import(${JSON.stringify(url)})
      const pair = await startPair()
      await pair.main.createInstance({ name: 'lab-test-orphan', running: true })
      console.log(pair.dir)
      setInterval(() => {}, 1000)`
    const child = spawn(process.execPath, ['--input-type=module', '--eval', script])
    const [dir] = (await once(createInterface(child.stdout), 'line')) as [string]
    expect(await sweep()).not.toContain(dir)
    child.kill('SIGKILL')
    await once(child, 'exit')
    // Another test file that starts a pair may be sweeping it already.
    await sweep()
    await expect.poll(() => tracesOf(dir), { timeout: 10_000 }).toEqual([])
  })
})

onRealIncus('an upgrade', () => {
  test('an upgraded server has its certificate, address and instances, and runs what ran', async () => {
    const { main, close } = await startPair()
    await main.createInstance({ name: 'lab-test-old', running: true })
    const before = await main.run('GET', '/1.0')
    await main.upgrade(NEWER)
    const after = await main.run('GET', '/1.0')
    const says = (server: unknown) => (server as { environment: Record<string, string> }).environment
    expect(says(after).server_version).not.toBe(says(before).server_version)
    expect(says(after).certificate_fingerprint).toBe(says(before).certificate_fingerprint)
    expect(says(after).addresses).toEqual(says(before).addresses)
    expect(await main.run('GET', '/1.0/instances/lab-test-old')).toMatchObject({ status: 'Running' })
    await close()
  })
}, [INCUSD, NEWER])
