/** What a tick costs when nothing is due, counted in process. */
import { expect, test } from 'vitest'
import type { Relay } from '../../functions/incus/relay.ts'
import { run } from '../../functions/run.ts'
import { emptyLedger } from '../../shared/ledger/ledger.ts'

test('an idle tick reads KV once, writes nothing, and calls nobody', async () => {
  const did: string[] = []
  const ledger = JSON.stringify({ ...emptyLedger('v'), wakeAt: '2026-11-22T04:00:00.000Z' })
  const state = {
    get: async (key: string) => {
      did.push(`read ${key}`)
      return key === 'ledger' ? ledger : null
    },
    put: async (key: string) => void did.push(`write ${key}`),
  }
  const refuse = () => {
    throw new Error('an idle tick has nothing to ask')
  }
  const relay: Relay = { inventory: refuse, batch: refuse }
  const ran = await run(
    { kind: 'cron', at: new Date('2026-11-22T03:59:00Z') },
    { relay, state, keyDigest: '' },
  )
  expect(ran).toEqual({ state: 'idle', until: '2026-11-22T04:00:00.000Z' })
  expect(did).toEqual(['read ledger'])
})
