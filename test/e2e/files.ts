/** Files of a snapshot end to end: listed and fetched over the API, a folder as a tar that GNU tar takes; and nothing stays. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { Stage } from './stage.ts'

type Hands = {
  stage(): Stage
  left(): Promise<string[]>
  remove(name: string): Promise<void>
  /** Has the policies cover these instances. */
  cover(instances: string[]): Promise<void>
  /** An hour later. */
  tick(): Promise<void>
  of: string
  marker: string
  /** Of fresh data beside it. */
  bytes: number
}

type Listed = { from: string; entries: { name: string; kind: string; size: number | null }[] }

export function filesEndToEnd({ stage, left, remove, cover, tick, of, marker, bytes }: Hands): void {
  const newest = async (name = of): Promise<string> => {
    const { instances } = (await (await stage().worker.fetch('/api/instances')).json()) as {
      instances: { instance: string; snapshots: { name: string }[] }[]
    }
    return instances.find(({ instance }) => instance.endsWith(`/${name}`))?.snapshots[0]?.name ?? ''
  }
  /** As a client that comes again as long as it is told so. */
  const ask = async (path: string, query: Record<string, string> = {}): Promise<Response> => {
    const search = new URLSearchParams({ instance: of, snapshot: await newest(), ...query })
    for (let tries = 0; tries < 20; tries++) {
      const response = await stage().worker.fetch(`${path}?${search}`)
      if (response.status !== 503) return response
      expect(response.headers.get('retry-after')).toBe('5')
      await sleep(500)
    }
    throw new Error('it is never ready')
  }

  test('files of a snapshot are listed and fetched, whatever came since', async () => {
    const listed = (await (await ask('/api/files', { path: '/' })).json()) as Listed
    expect(listed.from).toBe(`main/default/${of}`)
    const found = listed.entries.find(({ name }) => name === 'marker')
    expect(found).toMatchObject({ kind: 'file', size: marker.length })
    const response = await ask('/api/files/content', { path: '/marker' })
    expect([response.status, response.headers.get('content-length')]).toEqual([200, String(marker.length)])
    expect(await response.text()).toBe(marker)
    const { records } = (await (await stage().worker.fetch('/api/history?count=1')).json()) as {
      records: object[]
    }
    expect(records).toMatchObject([
      { who: 'api', what: expect.stringContaining('/marker'), outcome: { state: 'done' } },
    ])
  })

  test('a folder of it is a tar', async () => {
    const response = await ask('/api/files/content', { path: '/' })
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/x-tar'])
    const folder = mkdtempSync(join(tmpdir(), 'stapes-e2e-files-'))
    try {
      execFileSync('tar', ['-xf', '-', '-C', folder], { input: Buffer.from(await response.arrayBuffer()) })
      expect(readFileSync(join(folder, 'marker'), 'utf8')).toBe(marker)
      const bulk = ['bulk', 'data'].flatMap((name) => {
        const seen = statSync(join(folder, name), { throwIfNoEntry: false })
        return seen === undefined ? [] : [seen.size]
      })
      // The embedded one holds a part.
      expect(bulk).toEqual([expect.toSatisfy((size: number) => size === bytes || size === 65_536)])
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  test.each([
    ['that are not there', { path: '/none' }, 404],
    ['of a snapshot that is not there', { snapshot: 'none' }, 404],
    ['above the root', { path: '/../etc' }, 422],
  ])('files %s are refused', async (_, query, status) => {
    expect((await ask('/api/files/content', query)).status).toBe(status)
  })

  test('what files were read from is one instance, and goes with the relay', async () => {
    await ask('/api/files')
    expect(await left()).toEqual([of, expect.stringMatching(/^stapes-files-/)])
    await stage().relay.stop()
    expect(await left()).toEqual([of])
    await stage().relay.start()
    await tick()
    expect(await left()).toEqual([of])
  })

  test('a file of it is restored into the running instance, and the state before is kept', async () => {
    const { worker, pair } = stage()
    const it = { name: 'e2e-put' }
    const post = async (path: string, body: object) =>
      (await (await worker.fetch(path, { method: 'POST', body: JSON.stringify(body) })).json()) as {
        digest?: string
        results?: { state: string }[]
      }
    await pair.main.createInstance({ ...it, running: true })
    await pair.main.write(it, 'first', 1000)
    await cover([of, it.name])
    const taken = await post('/api/run', { do: 'snapshot', instances: [it.name] })
    expect(taken.results).toMatchObject([{ state: 'done' }])
    const snapshot = await newest(it.name)
    await pair.main.write(it, 'second', 1000)
    const wish = { do: 'put', instance: it.name, snapshot, path: '/marker' }
    expect((await worker.fetch('/api/run', { method: 'POST', body: JSON.stringify(wish) })).status).toBe(409)
    const { digest } = await post('/api/plan', wish)
    expect(await post('/api/run', { ...wish, confirm: digest })).toMatchObject({
      results: [{ state: 'started' }],
    })
    let seen: { state?: string; safety?: string; reason?: string } = {}
    for (let tries = 0; tries < 40 && seen.state !== 'done' && seen.state !== 'failed'; tries++) {
      await sleep(300)
      await tick()
      const { puts } = (await (await worker.fetch('/api/status')).json()) as {
        puts: Record<string, typeof seen>
      }
      seen = puts[`main/default/${it.name}`] ?? {}
    }
    expect(seen).toMatchObject({ state: 'done', reason: expect.stringContaining('1 files') })
    expect(await pair.main.readMarker(it)).toBe('first')
    expect(await pair.main.readMarker(it, seen.safety ?? '')).toBe('second')
    await stage().relay.stop()
    await stage().relay.start()
    await pair.main.setRunning(it, false)
    await remove(it.name)
    await cover([of])
    await tick()
    expect(await left()).toEqual([of])
  })
}
