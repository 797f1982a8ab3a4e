/** What the relay asks of Incus for a job of a copy, between two servers that are as it is told. */
import { createEngine } from '../../../relay/engine/engine.ts'
import type { BatchLine, Job } from '../../../shared/relay/protocol.ts'
import { createFakeIncus, refusal, sync } from './fake-incus.ts'
import { INSTANCE } from './steps.ts'
import { createVirtualClock } from './virtual-clock.ts'

type Row = { name: string; created_at: string; expires_at?: string }
/** `config`, `devices` and others of the instance, with its snapshots. */
type Side = { instance?: { config?: Record<string, string> } & Record<string, unknown>; snapshots: Row[] }
export type Scene = {
  source: Side
  /** Null: there is no copy yet. */
  target: Side | null
  /** Milliseconds since the epoch; absent: the fake's. */
  now?: number
  minRetention?: number
}

export type Sent = { remote: string; method: string; path: string; body?: Record<string, unknown> }

export const NEVER = '0001-01-01T00:00:00Z'

/** By its name if that is ours, at some time of 2026 else. */
export const rowOf = (name: string, expiresAt = NEVER): Row => ({
  name,
  created_at: `${name.replace(/^.*-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5')}:00Z`.replace(
    /^(?!\d{4}-).*$/,
    '2026-11-20T00:00:00Z',
  ),
  expires_at: expiresAt,
})

/** Changes only, in their order, and what the job came to. */
export async function runCopyJob(
  job: Job,
  { source, target, now, minRetention = 0 }: Scene,
): Promise<{ sent: Sent[]; lines: string; reply: unknown }> {
  const clock = createVirtualClock()
  if (now !== undefined) await clock.advance(now - clock.now())
  const incus = createFakeIncus(clock)
  const sent: Sent[] = []
  incus.answer = (remote, { method, path, body }) => {
    if (method !== 'GET') {
      sent.push({ remote, method, path, body: body as Record<string, unknown> })
      return method === 'PATCH' ? sync({}) : incus.operation({ after: 1000, secrets: {} })
    }
    if (path === '/1.0') return sync({ auth: 'trusted', environment: { certificate: 'PEM' } })
    if (path.startsWith('/1.0/profiles') || path.startsWith('/1.0/operations?')) return sync({})
    const side = remote === 'main' ? source : target
    if (side === null) return refusal(404, 'Instance not found')
    return path.includes('/snapshots?')
      ? sync(side.snapshots)
      : sync({ ...INSTANCE, ...side.instance, expanded_config: side.instance?.config ?? {} })
  }
  const remotes = {
    main: { address: 'https://main', role: 'source' },
    backup: { address: 'https://backup', role: 'target', minRetention },
  } as const
  const engine = createEngine({ upstream: incus, clock, remotes, secret: 's' })
  const lines: BatchLine[] = []
  await clock.until(engine.batch({ jobs: [{ ...job, detach: false }] }, (line) => lines.push(line)))
  const [line] = lines
  const report = line !== undefined && 'steps' in line ? line.steps[0] : undefined
  const reply = report?.ok === true ? report.metadata : null
  return { sent, lines: JSON.stringify(lines), reply }
}
