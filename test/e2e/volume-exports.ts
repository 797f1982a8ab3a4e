/** Custom volumes end to end: exported over the API and by policy, and made anew of what is stored. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { ExportTheatre } from './exports.ts'
import { nextSecond } from './stage.ts'

type Shown = { state: string; reason?: string; name?: string }
type Status = { exports?: Record<string, Shown>; imports?: Record<string, Shown> }

type Hands = {
  run(body: object): Promise<unknown>
  theatre(): ExportTheatre
  /** What the exports in the store `vault` are encrypted for. */
  key(): string
  root(store: 'nas' | 'vault'): string
  /** Of the relay. */
  restart(): Promise<void>
  apply(policies: object): Promise<unknown>
  /** A tick, so many minutes later; gives the status afterwards. */
  tick(minutes?: number): Promise<Status>
}

const NAME = 'e2e-data'
const KEY = `main/default/default:${NAME}`
const MARKER = 'as the volume was'

export function volumeExportsEndToEnd(hands: Hands): void {
  const { run, theatre, key, root, restart, apply, tick } = hands
  const followed = async (kind: keyof Status, of: string): Promise<Shown | undefined> => {
    for (let tries = 0; tries < 40; tries++) {
      await sleep(150)
      const seen = (await tick())[kind]?.[of]
      if (seen?.state === 'done' || seen?.state === 'failed') return seen
    }
  }
  const folder = (store: 'nas' | 'vault') =>
    join(root(store), 'main/default', encodeURIComponent(`default:${NAME}`))
  const manifests = () => readdirSync(folder('nas')).filter((file) => file.endsWith('.json'))
  const policy = (more: object = {}) => ({
    hourly: {
      select: { remotes: ['main'], instances: [], volumes: [`default:${NAME}`] },
      ...{ schedule: '0 0 1 1 *', keep: { last: 5 }, ...more },
    },
  })
  const take = async (): Promise<void> => {
    await nextSecond()
    const taken = await run({ do: 'snapshot', instances: [`default:${NAME}`] })
    expect(taken).toMatchObject({ refusal: null, results: [{ state: 'done' }] })
  }
  const wish = { do: 'export', instance: `default:${NAME}`, to: 'nas' }

  test('a custom volume is exported at its newest snapshot, and nothing is left of how', async () => {
    const { main } = theatre()
    await main.createVolume(NAME)
    await main.writeVolume(NAME, MARKER, 100_000)
    // Its snapshot is taken by request.
    await apply(policy({ paused: true }))
    await take()
    await main.writeVolume(NAME, 'as it became later', 100_000)
    expect(await run(wish)).toMatchObject({ refusal: null, results: [{ state: 'started' }] })
    expect(await followed('exports', `${KEY}>nas`)).toMatchObject({ state: 'done' })
    expect(readdirSync(folder('nas'))).toHaveLength(2)
    await expect.poll(() => theatre().volumes(), { timeout: 20_000 }).toEqual([NAME])
  })

  test('it becomes a new volume, with the data of the snapshot, without marks', async () => {
    const { main } = theatre()
    const ask = { do: 'import', instance: KEY, from: 'nas', as: 'e2e-old' }
    expect(await run(ask)).toMatchObject({ refusal: null, results: [{ state: 'started' }] })
    expect(await followed('imports', 'main/default/default:e2e-old')).toMatchObject({ state: 'done' })
    expect(await main.readVolumeMarker('e2e-old')).toBe(MARKER)
    expect(await main.readVolumeMarker(NAME)).toBe('as it became later')
    const config = await theatre().volumeConfig('e2e-old')
    expect(Object.keys(config).filter((one) => one.startsWith('user.stapes.'))).toEqual([])
    expect(JSON.stringify(await run(ask))).toContain('choose another name')
  })

  test('by a relay that is restarted in the middle of both it is there once, also encrypted', async () => {
    await nextSecond()
    expect(await run({ ...wish, to: 'vault' })).toMatchObject({ refusal: null })
    await restart()
    expect(await followed('exports', `${KEY}>vault`)).toMatchObject({ state: 'done' })
    expect(readdirSync(folder('vault'))).toHaveLength(2)
    await expect.poll(() => theatre().volumes(), { timeout: 20_000 }).toEqual([NAME, 'e2e-old'])
    const ask = { do: 'import', instance: KEY, from: 'vault', as: 'e2e-vault' }
    expect(JSON.stringify(await run(ask))).toContain('encrypted')
    expect(await run({ ...ask, key: key() })).toMatchObject({ refusal: null })
    expect(await followed('imports', 'main/default/default:e2e-vault')).toMatchObject({ state: 'done' })
    expect(await theatre().main.readVolumeMarker('e2e-vault')).toBe(MARKER)
    await nextSecond()
    expect(await run({ do: 'import', instance: KEY, from: 'nas', as: 'e2e-again' })).toMatchObject({
      refusal: null,
    })
    await restart()
    expect(await followed('imports', 'main/default/default:e2e-again')).toMatchObject({ state: 'done' })
    expect(await theatre().main.readVolumeMarker('e2e-again')).toBe(MARKER)
  })

  test('a policy has it exported once a slot', async () => {
    const before = manifests()
    await apply(policy({ export: { to: 'nas', schedule: '30 * * * *' } }))
    for (let tries = 0; tries < 60 && manifests().length === before.length; tries++) {
      await tick()
      await sleep(150)
    }
    for (let minute = 0; minute < 3; minute++) await tick()
    expect(manifests()).toHaveLength(before.length + 1)
    const left = [NAME, 'e2e-old', 'e2e-vault', 'e2e-again'].sort()
    await expect.poll(() => theatre().volumes(), { timeout: 20_000 }).toEqual(left)
  })
}
