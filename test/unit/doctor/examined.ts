/** What the doctor judges, all of it well: tests make one thing wrong. */
import { type Diagnosis, diagnose } from '../../../shared/doctor/diagnosis.ts'
import type { Examined, RelayFacts } from '../../../shared/doctor/examined.ts'
import type { Finding } from '../../../shared/doctor/finding.ts'
import { emptyLedger } from '../../../shared/ledger/ledger.ts'
import { coverInstances } from '../../../shared/policy/coverage.ts'
import type { Config } from '../../../shared/policy/policy.ts'
import type { Condition } from '../../../shared/promise/condition.ts'
import type { RemoteReply } from '../../../shared/relay/protocol.ts'
import { ok } from '../../../shared/result.ts'
import { configOf, recordOf, replyOf, type Sketch } from '../policy/instances.ts'

export const NOW = new Date('2026-11-22T12:30:00.000Z')
export const WEB = 'main/default/web1'
export const COPY = 'backup/default/web1'

const config = (): Config =>
  configOf({ daily: { schedule: '0 3 * * *', keep: { daily: 7 }, copy: { remote: 'backup' } } })

/** A remote with these instances; `about` is what its server and pools say of themselves. */
export function seenOn(
  instances: Record<string, Sketch>,
  about: { version?: string; skew?: number; pools?: Record<string, string>; more?: object } = {},
): RemoteReply {
  const reply = replyOf(Object.entries(instances).map(([name, sketch]) => recordOf(name, sketch)))
  if (!reply.ok) return reply
  const { version = '7.4.0', skew, pools = { default: 'btrfs' }, more = {} } = about
  const server = { ...reply.inventory.server, version, ...(skew === undefined ? {} : { skew }) }
  return { ok: true, inventory: { ...reply.inventory, server, pools, ...more } }
}

const COPIED: Sketch = {
  status: 'Stopped',
  snapshots: [['s1', 1]],
  own: { 'user.stapes.replica-of': WEB, 'user.stapes.verified': 'x' },
}

export const mainWith = (about: Parameters<typeof seenOn>[1]): Partial<Examined> => ({
  remotes: { main: seenOn({ web1: {} }, about), backup: seenOn({ web1: COPIED }) },
})

export const condition = (
  id: string,
  text: string,
  severity: Condition['severity'] = 'critical',
): Condition => ({
  ...{ id, severity, kind: 'all', about: null, text, since: null },
})

export const verdictWith = (...conditions: Condition[]): Examined['verdict'] => ({
  ...{ tone: 'bad', promises: [], conditions },
})

const REFUSED = { server: false, files: false, console: false, profiles: false }
const GIB = 1024 ** 3

export const remoteExam = (more: object = {}): RelayFacts['remotes'][string] => ({
  ok: true,
  skew: 0,
  pools: { default: spaceOf(10) },
  projects: {
    default: {
      ...{ profiles: ['default'], networks: ['lan'], rights: REFUSED },
      uses: { profiles: { default: ['web1'] }, networks: { lan: ['web1'] } },
      ...more,
    },
  },
})

/** GiB that are used of 100, and that were used ten days ago. */
export const spaceOf = (used: number, before = used) => ({
  ...{ used: used * GIB, total: 100 * GIB },
  samples: [[NOW.getTime() / 1000 - 864_000, before * GIB] as const],
})

export const factsOf = (more: Partial<RelayFacts> = {}): RelayFacts => ({
  ...{ version: '1.2.3', at: NOW.getTime(), skew: 0, isShut: true },
  certificates: { client: FAR, remotes: { main: FAR, backup: FAR } },
  remotes: { main: remoteExam(), backup: remoteExam() },
  stores: {},
  ways: [
    {
      from: { remote: 'backup', project: 'default', instance: 'web1' },
      snapshot: 's1',
      to: 'main',
      state: 'reached',
    },
  ],
  ...more,
})

const FAR = '2036-01-01T00:00:00.000Z'

export function examinedOf(more: Partial<Examined> = {}): Examined {
  const remotes = more.remotes ?? { main: seenOn({ web1: {} }), backup: seenOn({ web1: COPIED }) }
  const policies = more.config === undefined ? config() : more.config
  return {
    ...{ now: NOW, version: '1.2.3' },
    config: policies,
    verdict: { tone: 'good', promises: [], conditions: [] },
    ledger: emptyLedger('v1'),
    channels: [{ name: 'ops', type: 'slack', heard: '2026-11-20T00:00:00.000Z' }],
    remotes,
    coverages: policies === null ? [] : coverInstances(policies, remotes),
    relay: ok(factsOf()),
    ...more,
  }
}

export const diagnosisOf = (more: Partial<Examined> = {}): Diagnosis => diagnose(examinedOf(more))

/** Those of that code. */
export const findingsOf = (code: Finding['code'], more: Partial<Examined> = {}): Finding[] =>
  diagnosisOf(more).findings.filter((one) => one.code === code)
