import { describe, expect, test } from 'vitest'
import type { SightLedger } from '../../../shared/ledger/ledger.ts'
import { goneText } from '../../../shared/ledger/warnings.ts'
import { rememberSight } from '../../../shared/plan/sight.ts'
import { worldOf } from '../../../shared/plan/world.ts'
import { coverInstances } from '../../../shared/policy/coverage.ts'
import type { RemoteReply } from '../../../shared/relay/protocol.ts'
import { configOf, recordOf, replyOf } from '../policy/instances.ts'

const config = configOf({
  daily: { select: { projects: ['*'], instances: ['web*'] } },
  far: { select: { remotes: ['far'] } },
})
const shown = (...names: string[]): RemoteReply =>
  replyOf(
    names.map((name) => recordOf(name.split('/')[1] ?? '', { project: name.split('/')[0] ?? '' })),
    ['default', 'shop'],
  )
const silent: RemoteReply = { ok: false, error: { code: 'unreachable', message: 'no route' } }

const DAY = 86_400_000
const start = Date.parse('2026-11-22T03:00:00Z')

/** Looks once a day at what is shown then. */
function look(...days: Record<string, RemoteReply>[]): { ledger: SightLedger; fresh: string[] } {
  let ledger: SightLedger | undefined
  let fresh: string[] = []
  for (const [day, remotes] of days.entries()) {
    const replies = { far: silent, ...remotes }
    const world = worldOf({ remotes: replies, jobs: [] })
    const now = new Date(start + day * DAY)
    const sight = rememberSight(
      ledger,
      coverInstances(config, replies),
      { clocks: [], braked: {}, stalled: {}, allowed: {} },
      world,
      now,
    )
    ledger = sight.ledger
    fresh = sight.notes.map(({ about }) => about)
  }
  if (ledger === undefined) throw new Error('no look')
  return { ledger, fresh }
}

const all = { main: shown('default/web1', 'default/web2', 'shop/web3', 'default/db1') }
const less = { main: shown('default/web1') }

describe('what was covered at the last look', () => {
  test('is remembered by its place, and only what was covered', () => {
    expect(look(all).ledger).toEqual({
      covered: { 'main/default': 'web1 web2', 'main/shop': 'web3' },
      roles: [],
    })
  })

  test('is told when it is gone, once in the run and then for three days, or longer where nothing of a project is left', () => {
    const first = look(all, less)
    expect(first.fresh).toEqual(['main/default/web2', 'main/shop/web3'])
    const second = look(all, less, less)
    expect(second.fresh).toEqual([])
    expect(goneText(Object.entries(second.ledger.gone ?? {}))).toBe(
      "2 covered instances have been missing since 2026-11-23T03:00:00.000Z: main/default/web2, main/shop/web3 (deleted, renamed, or no longer visible to the relay's certificate)",
    )
    expect(Object.keys(look(all, less, less, less, less).ledger.gone ?? {})).toEqual(['main/shop/web3'])
    expect(look(all, ...Array.from({ length: 33 }, () => less)).ledger.gone).toBeUndefined()
  })

  test('is not told any more when it is back', () => {
    expect(look(all, less, all).ledger.gone).toBeUndefined()
  })

  test('is not gone while its remote calls something by a name that can’t be used, and that is told', () => {
    const { main } = less
    if (main.ok !== true) throw new Error('no inventory')
    const unusable = ['an instance called "web " is left out']
    const partial = { main: { ok: true, inventory: { ...main.inventory, unusable } } } as const
    const { ledger, fresh } = look(all, partial)
    expect({ fresh, gone: ledger.gone }).toEqual({ fresh: [], gone: undefined })
    expect(ledger.problems).toContain('main: an instance called "web " is left out')
    expect(look(all, partial, less).fresh).toEqual(['main/default/web2', 'main/shop/web3'])
  })

  test('is not gone while its remote gives no answer, and is remembered meanwhile', () => {
    const { ledger, fresh } = look(all, { main: silent })
    expect({ fresh, gone: ledger.gone }).toEqual({ fresh: [], gone: undefined })
    expect(look(all, { main: silent }, less).fresh).toEqual(['main/default/web2', 'main/shop/web3'])
  })

  test('is not gone when it is there and no policy covers it any more', () => {
    const left = recordOf('web2', { own: { 'user.stapes.exclude': 'true' } })
    const main = replyOf([recordOf('web1'), recordOf('web3', { project: 'shop' }), left], ['default', 'shop'])
    expect(look(all, { main }).fresh).toEqual([])
  })
})

test('what a look finds is noted as it is now', () => {
  const [finding] = look({ main: shown('default/db1') }).ledger.warnings ?? []
  expect(finding).toMatch(/^policy daily: it matches no instance \(web\*/)
  expect(look(all).ledger.warnings?.filter((text) => text.startsWith('policy daily'))).toBeUndefined()
})
