/** Imports end to end: of the exports that were made before, over the API, and what becomes of them. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { generateX25519Identity } from 'age-encryption'
import { expect, test } from 'vitest'
import type { ExportTheatre } from './exports.ts'
import { nextSecond } from './stage.ts'

/** `detail`: why it was refused. */
type Ran = {
  refusal?: { reason: string } | null
  results?: { state: string; reason?: string }[]
  detail?: string
}

type Hands = {
  run(body: object): Promise<Ran>
  theatre(): ExportTheatre
  /** What the exports in the store `vault` are encrypted for. */
  key(): string
  folder(store: 'nas' | 'vault'): string
  /** Of the relay. */
  restart(): Promise<void>
  /** A tick; gives the status afterwards. */
  tick(): Promise<unknown>
  of: string
  marker: string
}

type Shown = { state: string; reason?: string }

export function importsEndToEnd({ run, theatre, key, folder, restart, tick, of, marker }: Hands): void {
  const followed = async (name: string): Promise<Shown | undefined> => {
    for (let tries = 0; tries < 40; tries++) {
      await sleep(150)
      const { imports = {} } = (await tick()) as { imports?: Record<string, Shown> }
      const seen = imports[`main/default/${name}`]
      if (seen?.state === 'done' || seen?.state === 'failed') return seen
    }
  }
  const wish = (as: string, more: object = {}) => ({ do: 'import', instance: of, from: 'nas', as, ...more })
  const expectImported = async (as: string): Promise<void> => {
    expect(await followed(as)).toMatchObject({ state: 'done' })
    expect(await theatre().main.readMarker({ name: as })).toBe(marker)
    const config = await theatre().configOf(as)
    expect(config['boot.autostart']).toBe('true')
    expect(Object.keys(config).filter((one) => one.startsWith('user.stapes.'))).toEqual([])
    await theatre().remove(as)
    expect(await theatre().left()).toEqual([of])
  }

  test('become new instances, with the data of the snapshot, without marks', async () => {
    expect(await run(wish('e2e-import'))).toMatchObject({ refusal: null, results: [{ state: 'started' }] })
    await expectImported('e2e-import')
  })

  test('that are encrypted become new instances with their key, which no answer holds', async () => {
    const told: unknown[] = [
      await run(wish('e2e-vault', { from: 'vault' })),
      await run(wish('e2e-vault', { from: 'vault', key: await generateX25519Identity() })),
    ]
    for (const refused of told) expect(JSON.stringify(refused)).toMatch(/encrypted|doesn.t open it/)
    told.push(await run(wish('e2e-vault', { from: 'vault', key: key() })), await tick())
    await expectImported('e2e-vault')
    expect(JSON.stringify(told)).not.toContain('AGE-SECRET-KEY-1Q')
    expect(JSON.stringify(told)).not.toContain(key().slice(16, 40))
  })

  test('that are not what was stored become nothing, and nothing of them stays', async () => {
    const file = join(folder('nas'), readdirSync(folder('nas')).find((one) => one.endsWith('.zst')) ?? '')
    const bytes = readFileSync(file)
    const last = Buffer.from([(bytes.at(-1) ?? 0) ^ 1])
    writeFileSync(file, Buffer.concat([bytes.subarray(0, -1), last]))
    await nextSecond()
    const ran = await run(wish('e2e-broken'))
    const seen =
      ran.detail === undefined ? await followed('e2e-broken') : { state: 'failed', reason: ran.detail }
    writeFileSync(file, bytes)
    expect(seen).toMatchObject({
      state: 'failed',
      reason: expect.stringMatching(/SHA-256|not what was stored/),
    })
    expect(await theatre().left()).toEqual([of])
  })

  test('that are imported while the relay is restarted are imported by a later tick, once', async () => {
    await nextSecond()
    expect(await run(wish('e2e-again'))).toMatchObject({ refusal: null })
    await restart()
    await expectImported('e2e-again')
  })

  test.each([
    ['under a name that is taken', { as: of }, 'choose another name'],
    ['that there are not', { export: '20200101T000000Z' }, 'there is no 20200101T000000Z'],
    ['into a pool that there is not', { pool: 'nowhere' }, 'no pool "nowhere"'],
    ['into a project that there is not', { project: 'nowhere' }, 'has no project nowhere'],
  ])('%s are refused before anything is begun', async (_, more, reason) => {
    const refused = await run(wish('e2e-refused', more))
    expect(JSON.stringify(refused)).toContain(reason.replaceAll('"', '\\"'))
    expect(await theatre().left()).toEqual([of])
  })
}
