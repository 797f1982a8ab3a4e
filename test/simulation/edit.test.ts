/** An edited policy, from `npm run plan` over `npm run apply` to the slot that removes what both have named. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { instanceOf, seedInstance, write } from '../emulator/scene.ts'
import { silence } from '../fuzz/effort.ts'
import { openWorker, SECRETS, type Worker } from '../fuzz/worker.ts'
import { type Ended, runScript } from '../unit/scripts/script.ts'
import { DAY, MINUTE } from './scenes.ts'
import { createWorld, settledRelay, type World } from './world.ts'

const start = new Date('2026-11-01T00:00:30Z')
const documentOf = (keep: object): string =>
  JSON.stringify({ policies: { daily: { remotes: ['main'], schedule: '0 3 * * *', keep } } })

let world: World
let worker: Worker
let server: Server
let folder: string

beforeEach(async () => {
  silence()
  world = createWorld({ start })
  write(seedInstance(world.incus.main, { name: 'web', running: true }), 'web', 1e6)
  worker = openWorker({ world, relay: settledRelay(world) })
  server = createServer(async (request, response) => {
    const body = await text(request)
    const headers = { authorization: request.headers.authorization ?? '' }
    const given = await worker.send(request.url ?? '', {
      ...{ method: request.method ?? 'GET', headers },
      ...(body === '' ? {} : { body }),
    })
    response.writeHead(given?.status ?? 500, { 'content-type': given?.headers.get('content-type') ?? '' })
    response.end(await given?.text())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  folder = mkdtempSync(join(tmpdir(), 'stapes-edit-'))
})
afterEach(() => {
  vi.restoreAllMocks()
  server.close()
  rmSync(folder, { recursive: true })
})

function npmRun(script: string, ...args: string[]): Promise<Ended> {
  const port = String((server.address() as AddressInfo).port)
  return runScript(script, { cwd: folder, args, env: { STAPES_TOKEN: SECRETS.api, PORT: port } })
}

const save = (keep: object): void => writeFileSync(join(folder, 'stapes.jsonc'), documentOf(keep))

/** A tick at each minute around the slots. */
async function pass(until: number): Promise<void> {
  while (world.clock.now() < until) {
    const { wakeAt } = JSON.parse(worker.kv.values.get('ledger') ?? '{}') as { wakeAt?: string }
    const next = Math.max(Date.parse(wakeAt ?? ''), world.clock.now() + 1) || world.clock.now() + 1
    await world.clock.advance(Math.min(until, Math.ceil(next / MINUTE) * MINUTE))
    const headers = { authorization: `Bearer ${SECRETS.api}` }
    await worker.send('/api/tick', { method: 'POST', headers })
  }
}

const names = (): string[] => [...instanceOf(world.incus.main, { name: 'web' }).snapshots.keys()].sort()
const named = ({ out }: Ended): string[] =>
  out.flatMap((line) => /^ {2}- (daily-\S+) +with the next slot/.exec(line)?.[1] ?? [])

test('a keep from 14 to 10 names what goes with the next slot, before and after it is applied, and that goes', async () => {
  save({ last: 14 })
  expect((await npmRun('apply', '--yes')).code).toBe(0)
  await pass(start.getTime() + 17 * DAY)
  const before = names()
  expect(before).toHaveLength(15)

  save({ last: 10 })
  const planned = await npmRun('plan', '--file', 'stapes.jsonc')
  const going = [...new Set(named(planned))].sort()
  expect(going).toEqual(before.slice(0, 5))
  expect(planned.out).toContain('  ~ policies.daily.keep.last: 14 → 10')
  const refused = await npmRun('apply')
  expect({ code: refused.code, going: [...new Set(named(refused))].sort() }).toMatchObject({ code: 2 })
  expect(worker.kv.values.get('config')).toContain('"last":14')
  expect(names()).toEqual(before)

  expect((await npmRun('apply', '--yes')).code).toBe(0)
  expect(names()).toEqual(before)
  expect([...new Set(named(await npmRun('plan', '--applied')))].sort()).toEqual(going)
  await pass(world.clock.now() + DAY)
  expect(before.filter((name) => !names().includes(name))).toEqual(going)
})

test('a keep from 14 to 1 says that the brake holds it, and what would go', async () => {
  save({ last: 14 })
  await npmRun('apply', '--yes')
  await pass(start.getTime() + 17 * DAY)
  save({ last: 1 })
  const { out } = await npmRun('plan')
  expect(named({ code: 0, out, errors: [] })).toEqual([])
  expect(out.join('\n')).toMatch(
    /! 2026-11-18 03:00 UTC: 14 of 15 snapshots would go at once.*\/backup allow main\/default\/web .*It holds daily-20261116T0300Z,.* and 9 more/,
  )
})
