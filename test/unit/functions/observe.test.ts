import { expect, test } from 'vitest'
import { observe } from '../../../functions/observe.ts'
import { parseInventory } from '../../../relay/requests.ts'
import { emptyLedger } from '../../../shared/ledger/ledger.ts'
import { parseLedger } from '../../../shared/ledger/parse-ledger.ts'
import type { InventoryRequest } from '../../../shared/relay/protocol.ts'
import { err, ok } from '../../../shared/result.ts'

const RUNNING = {
  ...{ state: 'running', attempts: 0, at: '2026-11-22T03:00:00.000Z' },
  ...{ job: 'main/default/web>backup/default/web:1', remote: 'backup', operation: 'a-b-c' },
}

/** What the relay is asked with such work in KV. */
async function askedWith(work: Record<string, object>): Promise<InventoryRequest> {
  const requests: InventoryRequest[] = []
  const relay = {
    glance: async () => ok({ remotes: {} }),
    inventory: async (request: InventoryRequest) => {
      requests.push(request)
      return err({ code: 'unreachable' as const, message: 'no answer' })
    },
    batch: async () => ({ answers: new Map(), error: null }),
  }
  const { ledger } = parseLedger({ ...emptyLedger('v'), work })
  await observe({ policies: [] }, ledger ?? emptyLedger('v'), relay)
  return requests[0] ?? expect.fail('the relay was not asked')
}

test('of work that runs, what no relay takes is left out of the call, so that the rest of it is answered', async () => {
  const key = 'copy main/default/web>backup/default/web'
  const request = await askedWith({
    [key]: RUNNING,
    [`${key}-job`]: { ...RUNNING, job: '' },
    [`${key}-remote`]: { ...RUNNING, remote: '' },
    [`${key}-operation`]: { ...RUNNING, operation: '' },
    [`${key}-long`]: { ...RUNNING, operation: 'x'.repeat(501) },
    [`${key}-broken`]: { ...RUNNING, operation: 'a\ud800' },
    'drill ': RUNNING,
    '': RUNNING,
  })
  expect(parseInventory(Buffer.from(JSON.stringify(request)))).toMatchObject({ ok: true })
  expect(request.adopt).toEqual([
    {
      ...{ id: RUNNING.job, remote: 'backup', operation: 'a-b-c' },
      ...{ family: 'main/default/web>backup/default/web', lock: 'main/default/web' },
    },
  ])
})
