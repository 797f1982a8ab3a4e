/** The copies of one instance that the relay makes in relay mode, in a process of its own. Started by relay-mode.ts. */
import { readFileSync } from 'node:fs'
import { createEngine } from '../../relay/engine/engine.ts'
// With all that the relay has loaded.
import '../../relay/relay.ts'
import { createInterface } from 'node:readline'
import { createSystemClock } from '../../relay/system-clock.ts'
import { createUpstreams, type RemoteConfig } from '../../relay/upstreams.ts'
import type { BatchLine } from '../../shared/relay/protocol.ts'
import type { CopyStep } from '../../shared/relay/steps.ts'

export type Relaying = {
  remotes: Record<string, RemoteConfig>
  client: { certificate: string; key: string }
  source: string
}

/** `ms`: of that copy; `peak`: resident bytes of the process at most, so far. */
export type Relayed = { ms: number; peak: number; error?: unknown }

const { remotes, client, source } = JSON.parse(process.argv[2] ?? '') as Relaying
const upstreams = createUpstreams(remotes, client, (line) => console.error(line))
const clock = createSystemClock()
const engine = createEngine({ upstream: upstreams, clock, remotes, secret: 'bench' })

/** A first copy under that name. */
const step = (target: string): CopyStep => ({
  do: 'copy',
  source: { remote: 'main', project: 'default', instance: source },
  target: { remote: 'backup', project: 'default', instance: target },
  ...{ transferMode: 'relay', pool: null, member: null, first: true, startOver: false, unverified: [] },
  ...{ transfer: { id: target, from: 0, names: [] }, owner: 'bench.n.k', listed: [], unfinished: null },
  ...{ verified: [], lasting: [], mirrored: [], excludeOlder: true, sourceServer: '', inconsistent: false },
  extended: {},
})

const peakOf = (): number =>
  Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) * 1024

for await (const target of createInterface({ input: process.stdin })) {
  const began = performance.now()
  const lines: BatchLine[] = []
  await engine.batch({ jobs: [{ id: target, steps: [step(target)] }] }, (line) => lines.push(line))
  const ms = performance.now() - began
  const [first] = lines
  const report = first !== undefined && 'steps' in first ? first.steps[0] : undefined
  const relayed: Relayed = {
    ...{ ms, peak: peakOf() },
    ...(report?.ok === true ? {} : { error: report ?? lines }),
  }
  console.log(JSON.stringify(relayed))
}
await upstreams.close()
