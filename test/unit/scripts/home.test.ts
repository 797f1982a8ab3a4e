import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Cleanup } from '../../../scripts/start/cleanup.ts'
import { openHome } from '../../../scripts/start/home.ts'

const RELAY = { RELAY_CONFIG: 'relay.jsonc' }

let root: string
let cleanup: Cleanup
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'stapes-home-'))
  vi.spyOn(process, 'cwd').mockReturnValue(root)
  cleanup = new Cleanup()
})
afterEach(async () => {
  await cleanup.run()
  vi.restoreAllMocks()
  rmSync(root, { recursive: true })
})

describe('what npm start notes', () => {
  test('lies apart for each relay configuration, and in one place for the same', async () => {
    const first = openHome(RELAY, cleanup)
    await cleanup.run()
    const again = openHome({ RELAY_CONFIG: join(root, 'relay.jsonc') }, new Cleanup())
    expect(again.folder).toBe(first.folder)
    const others = [
      { RELAY_CONFIG: 'other/relay.jsonc' },
      { RELAY_URL: 'http://127.0.0.1:8788' },
      { RELAY_REMOTES: '{}' },
    ]
    const folders = others.map((environment) => openHome(environment, cleanup).folder)
    expect(new Set([first.folder, ...folders]).size).toBe(4)
    expect(folders[1]).toMatch(/\.stapes\/127\.0\.0\.1-8788-[0-9a-f]{8}$/)
  })

  test('is closed to other users, also what an earlier version left open', () => {
    mkdirSync(join(root, '.stapes'), { mode: 0o755 })
    const { folder } = openHome(RELAY, cleanup)
    expect([join(root, '.stapes'), folder].map((one) => statSync(one).mode & 0o777)).toEqual([0o700, 0o700])
  })

  test('of an earlier version is taken over once', () => {
    mkdirSync(join(root, '.stapes/state/v3'), { recursive: true })
    const { state, inherited } = openHome(RELAY, cleanup)
    expect({ inherited, held: readdirSync(state) }).toEqual({ inherited: true, held: ['v3'] })
    expect(openHome({ RELAY_CONFIG: 'other.jsonc' }, cleanup).inherited).toBe(false)
  })
})

describe('the place of its notes', () => {
  const lockOf = (pid: number, at = new Date()): void => {
    const { folder } = openHome(RELAY, cleanup)
    writeFileSync(join(folder, 'lock'), String(pid))
    utimesSync(join(folder, 'lock'), at, at)
  }

  test('is not shared with a process that is there', () => {
    lockOf(process.ppid)
    expect(() => openHome(RELAY, cleanup)).toThrow(`process ${process.ppid}`)
  })

  test('is taken from one that was killed', () => {
    lockOf(2 ** 22 + 1)
    expect(() => openHome(RELAY, cleanup)).not.toThrow()
  })

  test('is taken from another process that has got the number of one that was killed', () => {
    lockOf(process.ppid, new Date(Date.now() - 120_000))
    expect(() => openHome(RELAY, cleanup)).not.toThrow()
  })

  test('is free again after an orderly end', async () => {
    const { folder } = openHome(RELAY, cleanup)
    expect(existsSync(join(folder, 'lock'))).toBe(true)
    await cleanup.run()
    expect(existsSync(join(folder, 'lock'))).toBe(false)
  })
})
