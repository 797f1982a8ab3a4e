/** Hostile requests at the relay's door: nobody without a key has any effect, and with one no more than it allows. */
import { randomBytes } from 'node:crypto'
import { beforeAll, expect, test } from 'vitest'
import { createSign, type Sign } from '../../functions/incus/sign.ts'
import { createAuthenticate } from '../../relay/authenticate.ts'
import { createMeter } from '../../relay/metrics/meter.ts'
import { createScrape } from '../../relay/metrics/scrape.ts'
import { createRelayServer } from '../../relay/server.ts'
import { BATCH, EXAM, FILES, INVENTORY } from './base.ts'
import { COUNT, growthOf, PATIENCE, SEED } from './effort.ts'
import { createDice, type Dice, garble, hostileBody, TEXTS } from './hostile.ts'
import { hashOf, openPlace, type Place, remainsOf } from './place.ts'
import { openWire, type Wire } from './wire.ts'

const METHODS = ['POST', 'GET', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'TRACE', 'post', 'X'.repeat(50)]
const PATHS = [
  ...[
    '/v1/batch',
    '/v1/inventory',
    '/v1/files',
    '/v1/examine',
    '/v1/health',
    '/healthz',
    '/metrics',
    '/v1/glance',
    '/v1/batch/',
    '//v1/batch',
    '/v1/batch?x=1',
    '/v1/./batch',
  ],
  ...[
    '/v1/remotes/main/1.0',
    '/v1/remotes/main/1.0/instances/web?project=default',
    '/v1/remotes/__proto__/1.0',
  ],
  ...['/v1/remotes/main/1.0/instances/web/exec', '/v1/remotes/%00/1.0', '/v1/remotes/a%2f/1.0', '*', '/', ''],
]
const START = Date.parse('2026-11-20T00:00:00Z') / 1000

let place: Place
let sign: Sign
let wire: Wire
let now = START
const said = { errors: [] as string[] }

beforeAll(async () => {
  place = await openPlace(true)
  const secret = randomBytes(32)
  sign = await createSign({ keyid: 'worker', secret: secret.toString('base64') })
  const log = (line: string) => {
    if (line.startsWith('error:')) said.errors.push(line)
  }
  const services = {
    examine: place.examine,
    ...{ engine: place.engine, log, reach: async () => true, heard: () => {} },
    scrape: createScrape('s'.repeat(24), createMeter().families),
    authenticate: createAuthenticate({ worker: secret }, START, () => now),
  }
  wire = openWire(createRelayServer(services))
})

/** What files were read from goes ten minutes later. */
const readNoMore = (): Promise<void> => place.world.clock.advance(place.world.clock.now() + 900_000)

/** As they go over the wire. */
function bytesOf(method: string, path: string, headers: readonly [string, string][], body: string): Buffer {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  return Buffer.concat([
    Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines}\r\n`, 'latin1'),
    Buffer.from(body),
  ])
}

const framed = (body: string): [string, string][] => [
  ['host', 'relay'],
  ['content-length', String(Buffer.byteLength(body))],
]

function requestBy(dice: Dice): [path: string, body: unknown] {
  if (dice.chance(0.7)) return ['/v1/batch', BATCH]
  if (dice.chance(0.2)) return ['/v1/examine', EXAM]
  return dice.chance(0.5) ? ['/v1/inventory', INVENTORY] : ['/v1/files', dice.pick(FILES)]
}

async function signed(dice: Dice): Promise<Buffer> {
  const [right, base] = requestBy(dice)
  const body = hostileBody(base, dice)
  const path = dice.chance(0.9) ? right : dice.pick(PATHS.slice(0, 11))
  const headers = await sign({ method: 'POST', url: `http://relay${path}`, body }, new Date(now * 1000))
  return bytesOf('POST', path, [...framed(body), ...Object.entries(headers)], body)
}

/** A signature that was once valid, and one thing about the request that isn't as it was signed. */
async function unsigned(dice: Dice): Promise<Buffer> {
  const body = dice.chance(0.5) ? JSON.stringify(BATCH) : hostileBody(BATCH, dice)
  const [method, path] = dice.chance(0.5) ? ['POST', '/v1/batch'] : [dice.pick(METHODS), dice.pick(PATHS)]
  const made: Record<string, string> = dice.chance(0.4)
    ? await sign({ method: 'POST', url: 'http://relay/v1/batch', body }, new Date(now * 1000))
    : {}
  const headers: [string, string][] = [...framed(body), ...Object.entries(made)]
  const at = dice.below(headers.length)
  const [name = '', value = ''] = headers[at] ?? []
  const wrong: [string, string] = [name, garble(value, dice).replace(/[\r\n]/g, ' ')]
  switch (dice.below(7)) {
    case 0:
      return bytesOf(method, path, headers.with(at, wrong), `[${body.slice(1)}`)
    case 1:
      return bytesOf(method, path, [...headers, wrong], `[${body.slice(1)}`)
    case 2:
      return bytesOf(method, path, headers.toSpliced(at, 1), 'signature' in made ? `[${body.slice(1)}` : body)
    case 3:
      return Buffer.from(
        garble(bytesOf(method, path, headers, `${body.slice(0, -1)} `).toString('latin1'), dice),
        'latin1',
      )
    case 4:
      return bytesOf(method, `${path}${dice.pick(TEXTS)}x`, headers, `[${body.slice(1)}`)
    case 5: {
      const chunked: [string, string][] = [['transfer-encoding', 'chunked'], ...headers]
      return bytesOf(method, path, chunked, `5\r\nhello\r\n${dice.pick(TEXTS)}\r\n0\r\n\r\n`)
    }
    default:
      return bytesOf(
        method,
        path,
        Object.entries({ host: 'relay', cookie: dice.pick(['', 'a'.repeat(20_000)]) }),
        body,
      )
  }
}

async function knock(count: number, make: (dice: Dice) => Promise<Buffer>, dice: Dice) {
  const statuses: Record<string, number> = {}
  for (let at = 0; at < count; at++) {
    if (at % 500 === 0) {
      now += 1
      // Timers of the engine that were called off are forgotten when their time has come.
      await place.world.clock.advance(place.world.clock.now() + 120_000)
    }
    const status = String(await wire.send(await make(dice)))
    statuses[status] = (statuses[status] ?? 0) + 1
  }
  return statuses
}

const failures = (statuses: Record<string, number>): string[] =>
  Object.keys(statuses).filter((status) => status.startsWith('5'))

test('what the hostile requests for files are made from is served', async () => {
  for (const wanted of FILES) {
    const body = JSON.stringify(wanted)
    const headers = await sign({ method: 'POST', url: 'http://relay/v1/files', body }, new Date(now * 1000))
    const made = bytesOf('POST', '/v1/files', [...framed(body), ...Object.entries(headers)], body)
    expect([wanted, await wire.send(made)]).toEqual([wanted, 200])
  }
  await readNoMore()
})

test(`${COUNT} without a valid signature change nothing, whatever they are (seed ${SEED})`, {
  timeout: PATIENCE,
}, async () => {
  const before = hashOf(place.world)
  const dice = createDice(SEED)
  const grown = await growthOf(async (share) => {
    const statuses = await knock(Math.ceil(COUNT * share), unsigned, dice)
    expect({ failures: failures(statuses), errors: said.errors }).toEqual({ failures: [], errors: [] })
    expect(statuses['401']).toBeGreaterThan(0)
  })
  expect(hashOf(place.world)).toBe(before)
  expect(grown).toBe(0)
})

test(`${COUNT} with a valid signature leave every copy and every instance as it is (seed ${SEED})`, {
  timeout: PATIENCE,
}, async () => {
  const before = remainsOf(place.world)
  const dice = createDice(SEED + 1)
  const grown = await growthOf(async (share) => {
    const statuses = await knock(Math.ceil(COUNT * share), signed, dice)
    expect({ failures: failures(statuses), errors: said.errors }).toEqual({ failures: [], errors: [] })
    expect(statuses['200']).toBeGreaterThan(0)
  })
  await readNoMore()
  expect(remainsOf(place.world)).toEqual(before)
  expect(grown).toBe(0)
})
