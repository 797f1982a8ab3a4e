/** What a due tick's look costs by the listing that a server has: 1,000 instances with 50 snapshots each. */
import { Pool } from 'undici'
import { createSign } from '../../functions/incus/sign.ts'
import { createPinnedConnector } from '../../relay/pinning.ts'
import { unpackReply } from '../../shared/relay/packing.ts'
import { startPair } from '../lab/pair.ts'
import type { LabServer } from '../lab/server.ts'
import { whileOpen } from './closing.ts'
import { atMost, median, type Report } from './figure.ts'
import { startRelayProcess } from './relay-process.ts'
import { eachOf } from './straight.ts'
import { newKey } from './worker.ts'

const INSTANCES = 1000
const SNAPSHOTS = 50
const ROUNDS = 5
/** An eighth of the two minutes that the Worker gives an inventory: the rest is for slow lines and busy servers. */
const SECONDS = 15

type Options = { incusd: string; onRound(line: string): void }

export function benchListing({ incusd, onRound }: Options): Promise<Report> {
  return whileOpen(async (open) => {
    const { main } = await open(startPair({ daemons: { main: incusd, backup: incusd } }))
    const version = await furnish(main, onRound)
    const key = newKey()
    const relay = await open(startRelayProcess([main], key))
    const sign = await createSign(key)
    const look = async (): Promise<Weighed> => {
      const body = JSON.stringify({ remotes: ['main'] })
      const url = `${relay.url}/v1/inventory`
      const headers = {
        'content-type': 'application/json',
        ...(await sign({ method: 'POST', url, body }, new Date())),
      }
      return weigh(async () => (await fetch(url, { method: 'POST', body, headers })).text())
    }
    mustBeWhole((await look()).text)
    const { rows } = await open(openDirect(main))
    const volumes = `/1.0/storage-pools/${main.pool}/volumes/container?all-projects=true&recursion=`
    const ways: Record<string, () => Promise<Weighed>> = {
      look,
      'volumes, recursion=1': () => weigh(() => rows(`${volumes}1`)),
      'volumes, recursion=2': () => weigh(() => rows(`${volumes}2`)),
      'instances, recursion=1': () => weigh(() => rows('/1.0/instances?recursion=1&all-projects=true')),
    }
    const seen: Record<string, Weighed[]> = {}
    for (let round = 1; round <= ROUNDS; round++)
      for (const [name, way] of Object.entries(ways)) {
        const one = await way()
        seen[name] = [...(seen[name] ?? []), one]
        onRound(`round ${round}: ${name} ${one.ms.toFixed(0)} ms`)
      }
    const ms = (name: string): number => median((seen[name] ?? []).map((one) => one.ms))
    const size = (name: string): string =>
      `${(Buffer.byteLength(seen[name]?.[0]?.text ?? '') / 1e6).toFixed(2)} MB`
    return {
      figures: [atMost(`a look at 1,000 × 50 on Incus ${version}`, ms('look') / 1000, 's', SECONDS)],
      notes: Object.keys(ways).map((name) => `${name}: ${ms(name).toFixed(0)} ms, ${size(name)}`),
    }
  })
}

type Direct = { rows(path: string): Promise<string>; close(): Promise<void> }

type Weighed = { ms: number; text: string }

async function weigh(work: () => Promise<string>): Promise<Weighed> {
  const began = performance.now()
  const text = await work()
  return { ms: performance.now() - began, text }
}

function openDirect({ url, fingerprint, clients }: LabServer): Direct {
  const { cert, key } = clients.trusted
  const connect = createPinnedConnector({ certificate: cert, key }, [fingerprint])
  const connections = new Pool(url, { connect })
  return {
    rows: async (path) => (await connections.request({ method: 'GET', path })).body.text(),
    close: () => connections.close(),
  }
}

function mustBeWhole(text: string): void {
  const { main } = unpackReply(JSON.parse(text)).remotes
  const counts =
    main?.ok === true ? main.inventory.instances.map(({ snapshots }) => snapshots?.length ?? -1) : []
  if (counts.length !== INSTANCES || counts.some((count) => count !== SNAPSHOTS))
    throw new Error(
      `the look saw ${counts.length} instances with ${[...new Set(counts)].join(', ')} snapshots`,
    )
}

/** Taking 50,000 snapshots would be an hour's work, so their records are written into the database: lists are made of these. */
async function furnish(main: LabServer, onRound: Options['onRound']): Promise<string> {
  const names = Array.from({ length: INSTANCES }, (_, index) => `listed-${String(index).padStart(4, '0')}`)
  await eachOf(names, 4, (name) => main.createInstance({ name }))
  onRound(`${INSTANCES} instances are there`)
  for (let number = 1; number <= SNAPSHOTS; number++) {
    const [name, date] = [
      `'daily-2026${String(number).padStart(4, '0')}T0300Z'`,
      `'2026-11-20 03:00:${String(number).padStart(2, '0')}.5+00:00'`,
    ]
    await sql(
      main,
      `INSERT INTO instances_snapshots (instance_id, name, creation_date, stateful, description) SELECT id, ${name}, ${date}, 0, '' FROM instances`,
    )
    await sql(
      main,
      `INSERT INTO storage_volumes_snapshots (id, storage_volume_id, name, description, creation_date) SELECT id + ${number * 100_000}, id, ${name}, '', ${date} FROM storage_volumes WHERE name LIKE 'listed-%'`,
    )
  }
  onRound(`${SNAPSHOTS} snapshots each are on record`)
  const { environment } = (await main.run('GET', '/1.0')) as { environment: { server_version: string } }
  return environment.server_version
}

async function sql(main: LabServer, query: string): Promise<void> {
  const reply = await main.admin('POST', '/internal/sql', { database: 'global', query })
  if (reply.type === 'error') throw new Error(`${reply.error}: ${query}`)
}
