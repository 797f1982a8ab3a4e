/** One export as the relay makes it, in a process of its own, so that what it takes is seen. Started by exports.ts. */
import { readFileSync } from 'node:fs'
import { createExports } from '../../relay/export/exports.ts'
import { openIdentities } from '../../relay/export/identities.ts'
import type { StoreConfig } from '../../relay/export/stores-schema.ts'
import { openUnfinished } from '../../relay/export/unfinished.ts'
// With all that the relay has loaded.
import '../../relay/relay.ts'
import { createUpstreams, type RemoteConfig } from '../../relay/upstreams.ts'

export type Exporting = {
  remote: RemoteConfig
  client: { certificate: string; key: string }
  store: StoreConfig
}

/** `peak`, `idle`: resident bytes at most, and before it began. */
export type Exported = { ms: number; peak: number; idle: number }

const { remote, client, store } = JSON.parse(process.argv[2] ?? '') as Exporting
const log = (line: string): void => console.error(line)
const upstreams = createUpstreams({ main: remote }, client, log)
const exports = createExports(
  { store },
  { unfinished: openUnfinished(null, log), identities: openIdentities(null, log) },
  log,
)
const idle = process.memoryUsage().rss
const began = performance.now()
const saved = await exports.save({
  ...{ store: 'store', ref: { remote: 'main', project: 'default', instance: 'web' }, usage: null },
  about: {
    ...{
      instance: 'main/default/web',
      name: '20261122T030000Z',
      incus: '7.0.2',
      type: 'container',
      driver: 'dir',
    },
    ...{ optimized: false, snapshot: { name: 's', createdAt: '' }, leftOut: { config: {}, devices: {} } },
  },
  open: (from) => upstreams.fetch('main', { method: 'GET', path: '/' }, from),
  progress: () => {},
})
if (!saved.ok) throw new Error(saved.error.message)
const ms = performance.now() - began
const peak = Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) * 1024
const exported: Exported = { ms, peak, idle }
console.log(JSON.stringify(exported))
await exports.close()
await upstreams.close()
