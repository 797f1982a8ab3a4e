/** What a tick costs when nothing is due, counted in process. */
import { expect, test } from 'vitest'
import { applyConfig } from '../../functions/api/apply.ts'
import type { Relay } from '../../functions/incus/relay.ts'
import { run } from '../../functions/run.ts'
import { emptyLedger } from '../../shared/ledger/ledger.ts'
import type { Facts } from '../../shared/promise/facts.ts'
import { err, ok } from '../../shared/result.ts'

const facts = { at: '2026-11-22T03:00:00.000Z', subjects: {}, glances: { main: 'one' } } satisfies Facts

async function stage(listed: string | null) {
  const did: string[] = []
  const kept: Record<string, string> = {
    ledger: JSON.stringify({ ...emptyLedger('v'), wakeAt: '2026-11-22T04:00:00.000Z' }),
    promises: JSON.stringify(facts),
  }
  const state = {
    get: async (key: string) => {
      did.push(`read ${key}`)
      return kept[key] ?? null
    },
    put: async (key: string) => void did.push(`write ${key}`),
  }
  const refuse = () => {
    throw new Error('it looked')
  }
  const relay: Relay = {
    async glance({ remotes, again }) {
      did.push(`glance at ${remotes}, again in ${again} ms`)
      return listed === null
        ? err({ code: 'unreachable', message: 'nobody is there' })
        : ok({ remotes: { main: { ok: true, listed } } })
    },
    inventory: refuse,
    batch: refuse,
  }
  await applyConfig(
    { policies: { daily: { remotes: ['main'], schedule: '0 3 * * *' } } },
    {
      relay: { ...relay, inventory: async () => err({ code: 'unreachable', message: 'not yet' }) },
      state: {
        get: async () => null,
        put: async (key, value) => void Object.assign(kept, { [key]: kept[key] ?? String(value) }),
      },
      keyDigest: '',
    },
    new Date('2026-11-22T03:58:00Z'),
    false,
  )
  const tick = () => run({ kind: 'cron', at }, { relay, state, keyDigest: '' })
  return { did, tick }
}

const at = new Date('2026-11-22T03:59:00Z')

test('an idle tick reads three keys of KV, writes nothing, and only glances at the remotes', async () => {
  const { did, tick } = await stage('one')
  expect(await tick()).toEqual({ state: 'idle', until: '2026-11-22T04:00:00.000Z' })
  expect(did).toEqual(['read ledger', 'read config', 'read promises', 'glance at main, again in 60000 ms'])
})

test.each([
  ['lists other instances', 'two'],
  ['can’t be reached', null],
])('an idle tick looks when a remote %s', async (_, listed) => {
  const { tick } = await stage(listed)
  await expect(tick()).rejects.toThrow('it looked')
})
