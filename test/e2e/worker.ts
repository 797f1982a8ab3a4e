/** The Worker in workerd, as it is deployed, with a KV of its own, and its deaths on the way to the relay. */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createTestHarness, type TestHarness } from 'wrangler'

export type Key = { id: string; secret: Buffer }

/** What the Worker asks of the relay, by what it is for. */
export type Call = 'glance' | 'look' | 'read source' | 'start copy' | 'restore' | 'verify' | 'take'

/** When the Worker dies: before the relay has heard of the call, or when it has done all of it. */
export type Death = { call: Call; when: 'before' | 'after' }

export type LiveWorker = {
  readonly token: string
  fetch(
    path: string,
    init?: {
      method?: string
      /** A stream is sent in chunks, without its length. */
      body?: string | ReadableStream<Uint8Array>
      token?: string | null
      headers?: Record<string, string>
    },
  ): Promise<Response>
  /** The cron trigger. `died`: at the death that was arranged; the Worker has been started anew since, on the same KV. */
  tick(at: Date): Promise<'ok' | 'exception' | 'died'>
  dieAt(death: Death): void
  /** Kills it, and starts another on the same KV, which is as cold as any. */
  restart(): Promise<void>
  /** Outside of ticks: resolves when the Worker has died as arranged, and was started anew. */
  untilDead(): Promise<void>
  readKv(): Promise<Record<string, string>>
  wipeKv(keys?: readonly string[]): Promise<void>
  /** So many died so far. */
  deaths(): number
  /** Calls to the relay so far. */
  calls(): number
  /** What they were for, the oldest first. */
  called(): readonly Call[]
  /** What it logged last, since it was started. */
  logged(): string[]
  close(): Promise<void>
}

const ROOT = join(import.meta.dirname, '../..')

type Env = { STATE: KVNamespace }

/** What KV gives at once. */
const MOST_KEYS = 100

export const newKey = (): Key => ({ id: 'e2e', secret: randomBytes(32) })

export type Surroundings = {
  /** Besides those that every Worker has. */
  secrets?: Record<string, string>
  /** The rest of the internet: null for addresses that nobody answers at. */
  outside?(request: Request): Promise<Response> | null
}

export async function startWorker(
  relayUrl: string,
  key: Key,
  { secrets: more = {}, outside = () => null }: Surroundings = {},
): Promise<LiveWorker> {
  const token = randomBytes(16).toString('hex')
  const secrets = {
    ...{ RELAY_URL: relayUrl, RELAY_KEY_ID: key.id, RELAY_KEY: key.secret.toString('base64') },
    STAPES_TOKEN: token,
    ...more,
  }
  const open = async (): Promise<TestHarness> => {
    const started = createTestHarness({ root: ROOT, workers: [{ configPath: './wrangler.toml', secrets }] })
    await started.listen()
    return started
  }
  let harness = await open()
  const gallows = watchCalls(relayUrl, outside)
  const state = async () => (await harness.getWorker<Env>().getEnv()).STATE
  const readKv = async (): Promise<Record<string, string>> => {
    const kv = await state()
    const names = (await kv.list()).keys.map(({ name }) => name)
    const pairs: [string, string | null][] = []
    for (let at = 0; at < names.length; at += MOST_KEYS)
      pairs.push(...(await kv.get(names.slice(at, at + MOST_KEYS))))
    return Object.fromEntries(pairs.filter((pair): pair is [string, string] => pair[1] !== null))
  }
  let deaths = 0
  const restart = async (): Promise<void> => {
    deaths++
    const kept = await readKv()
    endChildren()
    gallows.bury()
    await harness.close()
    harness = await open()
    const kv = await state()
    for (const [name, value] of Object.entries(kept)) await kv.put(name, value)
  }
  return {
    token,
    async fetch(path, { method = 'GET', body, token: given = token, headers: more = {} } = {}) {
      const headers = given === null ? more : { authorization: `Bearer ${given}`, ...more }
      const init = {
        method,
        headers,
        redirect: 'manual' as const,
        ...(body === undefined ? {} : { body, duplex: 'half' as const }),
      }
      return (await harness.fetch(path, init)) as unknown as Response
    },
    async tick(at) {
      const fired = harness.getWorker().scheduled({ cron: '* * * * *', scheduledTime: at })
      // A killed Worker gives no answer.
      const ended = fired
        .then(({ outcome }) => (outcome === 'ok' ? 'ok' : 'exception'))
        .catch(() => 'exception')
      const result = await Promise.race([ended, gallows.died().then(() => 'died')])
      if (result === 'died') await restart()
      return result as 'ok' | 'exception' | 'died'
    },
    dieAt: gallows.dieAt,
    restart,
    async untilDead() {
      await gallows.died()
      await restart()
    },
    readKv,
    async wipeKv(keys) {
      const kv = await state()
      for (const name of keys ?? Object.keys(await readKv())) await kv.delete(name)
    },
    deaths: () => deaths,
    calls: () => gallows.called().length,
    called: gallows.called,
    logged: () =>
      harness
        .getLogs()
        .slice(-20)
        .map(({ message }) => message),
    async close() {
      gallows.close()
      await harness.close()
    },
  }
}

/** Kills workerd: an orderly end would let the invocation go on. */
function endChildren(): void {
  for (const pid of readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8').split(' ')) {
    if (pid !== '' && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('workerd'))
      process.kill(Number(pid), 'SIGKILL')
  }
}

/** The harness lets this process carry out what the Worker fetches. */
function watchCalls(relayUrl: string, outside: NonNullable<Surroundings['outside']>) {
  const own = globalThis.fetch
  const called: Call[] = []
  let planned: Death | null = null
  let die = (): void => {}
  let bury = (): void => {}
  let death = new Promise<void>(() => {})
  globalThis.fetch = async (input, init) => {
    const request = new Request(input, init)
    if (!request.url.startsWith(relayUrl)) return outside(request) ?? own(request)
    const call = callOf(request.url, await request.clone().text())
    called.push(call)
    if (planned?.call !== call) return own(request)
    const { when } = planned
    planned = null
    if (when === 'after') await (await own(request)).text()
    die()
    return new Promise<Response>((_, reject) => {
      bury = () => reject(new Error('the Worker is dead'))
    })
  }
  return {
    called: () => called,
    died: () => death,
    /** Nobody waits for the call's answer any more. */
    bury() {
      bury()
      death = new Promise<void>(() => {})
    },
    dieAt(next: Death) {
      planned = next
      death = new Promise((resolve) => {
        die = resolve
      })
    },
    close() {
      globalThis.fetch = own
    },
  }
}

function callOf(url: string, body: string): Call {
  if (url.endsWith('/v1/glance')) return 'glance'
  if (url.endsWith('/v1/inventory')) return 'look'
  if (body.includes('"id":"restore ')) return 'restore'
  if (body.includes('"detach":true')) return 'start copy'
  if (body.includes('"id":"verify ')) return 'verify'
  return body.includes('"do":"check-copy"') ? 'read source' : 'take'
}
