/** A world written as text, the form in which tests of the decision describe what was observed. */
import type { InstanceRecord, SnapshotPair } from '../../../shared/incus/inventory.ts'
import { parseSnapshotName } from '../../../shared/incus/snapshot-name.ts'
import type { Installation } from '../../../shared/plan/installation.ts'
import { type World, worldOf } from '../../../shared/plan/world.ts'
import type { JobReport, RemoteReply } from '../../../shared/relay/protocol.ts'
import { recordOf, replyOf, type Sketch } from '../policy/instances.ts'

export const INSTALLATION: Installation = { born: 1_790_000_000_000, nonce: 'n', keyDigest: 'k' }

export const SERVER = 'f'.repeat(64)

/**
 * `remote:project/instance status [key=value …]`, below it its snapshots, indented: a name, with `@date`
 * where the name doesn't tell it. `uuid=…@date` says which instance it is. `remote unreachable` alone; `?`
 * instead of snapshots: not listed. The status `offline`: its cluster member n2 is away.
 */
export function parseWorld(text: string, jobs: JobReport[] = []): World {
  const remotes: Record<string, RemoteReply> = {}
  const records: Record<string, InstanceRecord[]> = {}
  let current: InstanceRecord | undefined
  for (const line of text.split('\n').filter((one) => one.trim() !== '')) {
    const [head = '', ...words] = line.trim().split(/\s+/)
    const named = /^(\w+):([\w-]+)\/([\w-]+)$/.exec(head)
    if (named !== null) {
      const [, remote = '', project = '', name = ''] = named
      const [status = 'running', ...more] = words
      const pairs = more.filter((word) => !word.startsWith('uuid='))
      const own = Object.fromEntries(pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), decode(pair)]))
      current = recordOf(name, {
        project,
        status: status[0]?.toUpperCase() + status.slice(1),
        own,
        snapshots: [],
        ...identityOf(more.find((word) => word.startsWith('uuid='))),
        ...(status === 'offline' ? OFFLINE : {}),
      })
      records[remote] = [...(records[remote] ?? []), current]
    } else if (words[0] === 'unreachable')
      remotes[head] = { ok: false, error: { code: 'unreachable', message: `${head} can't be reached` } }
    else if (words[0] === 'empty') records[head] = []
    else if (head === '?' && current !== undefined)
      Object.assign(current, { snapshots: null, problem: 'its pool gave no answer' })
    else current?.snapshots?.push(pairOf(head, words))
  }
  for (const [remote, instances] of Object.entries(records)) remotes[remote] = replyOf(instances)
  return worldOf({ remotes, jobs })
}

const OFFLINE: Sketch = {
  status: 'Error',
  location: 'n2',
  pool: '',
  snapshots: null,
  problem: 'cluster member n2 gives no answer for it',
  offline: true,
}

function identityOf(word: string | undefined): Sketch {
  const [uuid = '', date = ''] = word?.slice('uuid='.length).split('@') ?? []
  return uuid === '' ? {} : { identity: { uuid, since: Date.parse(date) / 1000 } }
}

const decode = (pair: string): string => pair.slice(pair.indexOf('=') + 1).replaceAll(',', ' ')

function pairOf(name: string, [date]: string[]): SnapshotPair {
  const taken = date === undefined ? parseSnapshotName(name)?.slot : new Date(date.slice(1))
  if (taken === undefined) throw new Error(`snapshot ${name} needs a date`)
  return [name, taken.getTime() / 1000]
}

/** A block without its common indentation and outer blank lines. */
export function text(block: string): string {
  const lines = block
    .split('\n')
    .filter((line, at, all) => line.trim() !== '' || (at > 0 && at < all.length - 1))
  const indent = Math.min(...lines.map((line) => line.search(/\S/)).filter((at) => at >= 0))
  return `${lines.map((line) => line.slice(indent).trimEnd()).join('\n')}\n`
}
