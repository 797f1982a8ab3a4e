/** Policies, records and inventories with what a test doesn't care about filled in. */
import type { InstanceRecord } from '../../../shared/incus/inventory.ts'
import { parseConfig } from '../../../shared/policy/parse.ts'
import type { Config } from '../../../shared/policy/policy.ts'
import type { RemoteReply } from '../../../shared/relay/protocol.ts'

export function configOf(policies: Record<string, object>): Config {
  const parsed = parseConfig({ defaults: { remotes: ['main'], schedule: '@hourly' }, policies })
  if (!parsed.ok) throw new Error(parsed.error.map(({ message }) => message).join('\n'))
  return parsed.value
}

export type Sketch = Partial<Omit<InstanceRecord, 'config' | 'own'>> & {
  /** `user.stapes.` keys and others, on the instance itself. */
  own?: Record<string, string>
  profile?: Record<string, string>
}

export const recordOf = (name: string, { own = {}, profile = {}, ...rest }: Sketch = {}): InstanceRecord => ({
  project: 'default',
  name,
  type: 'container',
  status: 'Running',
  location: 'none',
  pool: 'default',
  config: { ...profile, ...own },
  own: Object.keys(own),
  snapshots: [],
  ...rest,
})

export const replyOf = (instances: InstanceRecord[], projects: string[] = ['default']): RemoteReply => ({
  ok: true,
  inventory: {
    server: { fingerprint: 'f'.repeat(64), version: '6.0.4', clustered: false },
    projects,
    pools: { default: 'btrfs' },
    instances,
    operations: [],
    rules: { role: 'both', minRetention: 0 },
  },
})
