/** A signed step of the relay, which reads from Incus, against the same request, unsigned, through nginx. */
import { existsSync } from 'node:fs'
import { createSign } from '../../functions/incus/sign.ts'
import { startPair } from '../lab/pair.ts'
import { whileOpen } from './closing.ts'
import { atLeast, atMost, median, type Report } from './figure.ts'
import { type Load, type Prepared, sendLoad } from './load.ts'
import { NGINX, startNginx } from './nginx.ts'
import { startRelayProcess } from './relay-process.ts'
import { type Key, newKey } from './worker.ts'

const INSTANCE = 'bench'
const PATH = `/1.0/instances/${INSTANCE}/snapshots?project=default&recursion=1`
const ref = { remote: 'main', project: 'default', instance: INSTANCE }
const BODY = JSON.stringify({ jobs: [{ id: 'read', steps: [{ do: 'read-snapshots', ref }] }] })
const ROUNDS = 7
const REQUESTS = 1500
const AT_ONCE = 16

type Proxy = { url: string; prepare(requests: number): Promise<Prepared> }

type Slices = { alone: Load[]; crowded: Load[] }

export async function benchForwarding(): Promise<Report> {
  if (!existsSync(NGINX)) throw new Error(`${NGINX} is missing: apt-get install nginx-light`)
  return whileOpen(async (open) => {
    const { main } = await open(startPair())
    await main.createInstance({ name: INSTANCE })
    const key = newKey()
    const relay = await open(startRelayProcess([main], key))
    return compare(relay.url, key, (await open(startNginx(main))).url)
  })
}

async function compare(relay: string, key: Key, nginx: string): Promise<Report> {
  const sign = await createSign(key)
  const proxies: Record<string, Proxy> = {
    relay: {
      url: relay,
      async prepare(requests) {
        const path = '/v1/batch'
        const headers: Record<string, string>[] = []
        for (let request = 0; request < requests; request++)
          headers.push({
            ...(await sign({ method: 'POST', url: `${relay}${path}`, body: BODY }, new Date())),
          })
        return { path, headers, body: BODY }
      },
    },
    nginx: {
      url: nginx,
      prepare: async (requests) => ({ path: PATH, headers: new Array(requests).fill({}) }),
    },
  }
  const slices: Record<string, Slices> = {
    relay: { alone: [], crowded: [] },
    nginx: { alone: [], crowded: [] },
  }
  // The first round only warms up.
  for (let round = 0; round <= ROUNDS; round++)
    for (const [name, { url, prepare }] of Object.entries(proxies)) {
      const alone = await sendLoad(url, 1, await prepare(REQUESTS / 3))
      const crowded = await sendLoad(url, AT_ONCE, await prepare(REQUESTS))
      if (round === 0) continue
      slices[name]?.alone.push(alone)
      slices[name]?.crowded.push(crowded)
    }
  return reportOf(slices)
}

function reportOf(slices: Record<string, Slices>): Report {
  const p50 = (name: string) => median((slices[name]?.alone ?? []).map(({ latencies }) => median(latencies)))
  const rate = (name: string) => median((slices[name]?.crowded ?? []).map(({ perSecond }) => perSecond))
  const describe = (name: string) =>
    `${name}: p50 ${p50(name).toFixed(2)} ms with one request at a time, ${rate(name).toFixed(0)}/s with ${AT_ONCE}`
  return {
    figures: [
      atMost('signed read, p50: relay : nginx', p50('relay') / p50('nginx'), '×', 2.5),
      atLeast('signed read, throughput: relay : nginx', rate('relay') / rate('nginx'), '×', 0.4),
    ],
    notes: [
      describe('relay'),
      describe('nginx'),
      `${ROUNDS} alternating rounds against the same Incus, signatures made beforehand, the same client for both, one process each`,
    ],
  }
}
