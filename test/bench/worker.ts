/**
 * The Worker in workerd and nothing besides: the bundle that a deploy uploads, real networking, and a
 * KV whose work is done elsewhere. What this process costs is what the Worker costs.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { type Bundle, buildBundle } from './bundle.ts'
import { startKeyValue } from './key-value.ts'
import { endProcess } from './relay-process.ts'

export type Key = { keyid: string; secret: string }

export type BenchWorker = {
  pid: number
  /** Applies a document over the API; throws when it is refused. */
  apply(document: unknown): Promise<void>
  /** The cron trigger for that time; resolves when the invocation ended, throws when it failed. */
  tick(at: Date): Promise<void>
  /** A dry run: inventory and decision, and nothing done. */
  look(): Promise<void>
  /** A page, as who is signed in sees it; throws when it is none. */
  read(path: string): Promise<string>
  close(): Promise<void>
}

export const newKey = (): Key => ({ keyid: 'bench', secret: randomBytes(32).toString('base64') })

export async function startWorker(relayUrl: string, key: Key): Promise<BenchWorker> {
  const token = randomBytes(16).toString('hex')
  const bundle = await buildBundle()
  const keyValue = await startKeyValue()
  const secrets = {
    RELAY_URL: relayUrl,
    RELAY_KEY_ID: key.keyid,
    RELAY_KEY: key.secret,
    STAPES_TOKEN: token,
  }
  const { child, url } = await serve(bundle, keyValue.port, secrets)
  const ask = async (method: string, path: string, document: unknown): Promise<void> => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const answer = await fetch(`${url}${path}`, { method, headers, body: JSON.stringify(document) })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${method} ${path} was refused: ${text}`)
  }
  const signIn = onlyOnce(async () => {
    const body = new URLSearchParams({ token })
    const form = { method: 'POST', headers: { origin: url }, redirect: 'manual', body } as const
    const answer = await fetch(`${url}/sign-in`, form)
    return answer.headers.get('set-cookie')?.split(';')[0] ?? ''
  })
  return {
    pid: child.pid ?? 0,
    apply: (document) => ask('PUT', '/api/config', document),
    look: () => ask('POST', '/api/plan', {}),
    async tick(at) {
      const outcome = await (await fetch(`${url}/?tick=${at.getTime()}`)).text()
      if (outcome !== 'ok') throw new Error(`the tick ended as "${outcome}"`)
    },
    async read(path) {
      const answer = await fetch(`${url}${path}`, { headers: { cookie: await signIn() } })
      if (!answer.ok) throw new Error(`GET ${path} was refused: ${answer.status}`)
      return answer.text()
    },
    async close() {
      await endProcess(child)
      await keyValue.close()
      await bundle.remove()
    },
  }
}

function onlyOnce<T>(work: () => Promise<T>): () => Promise<T> {
  let begun: Promise<T> | null = null
  return () => {
    begun ??= work()
    return begun
  }
}

/** Resolves when it listens. */
export async function serve(
  bundle: Bundle,
  keyValuePort: number,
  secrets: Record<string, string>,
): Promise<{ child: ChildProcess; url: string }> {
  const child = await spawnWorkerd(bundle, keyValuePort, secrets)
  return { child, url: `http://127.0.0.1:${await portOf(child)}` }
}

/** Hands requests on, and makes the cron trigger of one that says when. */
const DOOR = `export default {
  async fetch(request, env) {
    const at = new URL(request.url).searchParams.get('tick')
    if (at === null) return env.STAPES.fetch(request)
    const { outcome } = await env.STAPES.scheduled({ scheduledTime: new Date(Number(at)), cron: '* * * * *' })
    return new Response(outcome)
  },
}`

async function spawnWorkerd(
  bundle: Bundle,
  keyValuePort: number,
  secrets: Record<string, string>,
): Promise<ChildProcess> {
  const texts = Object.entries(secrets).map(
    ([name, text]) => `(name = ${JSON.stringify(name)}, text = ${JSON.stringify(text)})`,
  )
  const config = join(bundle.folder, 'config.capnp')
  await writeFile(join(bundle.folder, 'door.js'), DOOR)
  await writeFile(
    config,
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "stapes", worker = (
      modules = [(name = "index.js", esModule = embed "${bundle.script}")],
      compatibilityDate = "2026-10-01",
      bindings = [(name = "STATE", kvNamespace = "kv"), ${texts.join(', ')}])),
    (name = "door", worker = (
      modules = [(name = "door.js", esModule = embed "door.js")],
      compatibilityDate = "2026-10-01",
      compatibilityFlags = ["service_binding_extra_handlers"],
      bindings = [(name = "STAPES", service = "stapes")])),
    (name = "kv", external = (address = "127.0.0.1:${keyValuePort}", http = ())),
    (name = "internet", network = (allow = ["public", "private"]))],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "door")]);
`,
  )
  const wrangler = createRequire(createRequire(import.meta.url).resolve('wrangler'))
  const { default: workerd } = wrangler('workerd') as { default: string }
  return spawn(workerd, ['serve', '--experimental', '--control-fd=3', config], {
    stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
  })
}

async function portOf(child: ChildProcess): Promise<number> {
  const control = child.stdio[3] as Readable
  for await (const line of createInterface({ input: control })) {
    const said = JSON.parse(line) as { event: string; port?: number }
    if (said.event === 'listen' && said.port !== undefined) return said.port
  }
  throw new Error('workerd ended before it listened')
}
