/** One instance and its copy, as tests of the decision about copies describe them. */

import type { RemoteRules } from '../../../../shared/incus/inventory.ts'
import { emptyLedger, type Ledger, type SightLedger } from '../../../../shared/ledger/ledger.ts'
import { decide } from '../../../../shared/plan/decide.ts'
import type { Plan } from '../../../../shared/plan/plan.ts'
import { worldOf } from '../../../../shared/plan/world.ts'
import { coverInstances } from '../../../../shared/policy/coverage.ts'
import type { JobReport } from '../../../../shared/relay/protocol.ts'
import type { CopyAction, VerifyAction } from '../../../../shared/work/copy/action.ts'
import type { CopyWork } from '../../../../shared/work/copy/entry.ts'
import type { Action, BackupRequest } from '../../../../shared/work/kinds.ts'
import { copiesAs, copiesOf } from '../../../long-work.ts'
import { INSTALLATION, parseWorld, SERVER } from '../../plan/world-text.ts'
import { configOf } from '../../policy/instances.ts'

export const KEY = 'main/default/web1>backup/default/web1'
export const JOB = `${KEY}:daily-20261122T0300Z#0`
export const NOW = new Date('2026-11-22T03:10:00Z')

export const DAILY = {
  daily: {
    schedule: '0 3 * * *',
    keep: { daily: 2 },
    copy: { remote: 'backup', keep: { daily: 1 }, expiry: '90d' },
  },
}

export const seconds = (date: string): number => new Date(date).getTime() / 1000

export const mark = (...names: string[]): string =>
  names
    .map(
      (name) =>
        `${name}@${seconds(`${name.slice(6, 10)}-${name.slice(10, 12)}-${name.slice(12, 14)}T03:00Z`)}`,
    )
    .join(',')

export const replica = (...verified: string[]): string =>
  `user.stapes.replica-of=main/default/web1 user.stapes.replica-of.server=${SERVER} user.stapes.verified=${mark(...verified)}`

/** Marked by the transfer that brought what came after that date. */
export const copying = (after: string, id = 'daily-20261122T0300Z#0'): string =>
  `user.stapes.copying=${id},${after === '' ? 0 : seconds(after)}`

export type Given = {
  ledger?: Ledger['policies']
  copy?: CopyWork
  jobs?: JobReport[]
  policies?: Record<string, object>
  now?: Date
  /** As the relay knows of main; and how far main's clock is off, in seconds. */
  expired?: string[] | undefined
  skew?: number | undefined
  /** What the relay's configuration says about backup; null: nothing is known of it. */
  rules?: RemoteRules | null
  request?: BackupRequest
  sight?: SightLedger
  /** Of the pools on both sides. */
  driver?: string
}

/** The plan of one run at 03:10 in which the slots are served already. */
export function planFor(
  world: string,
  {
    copy,
    jobs,
    policies = DAILY,
    now = NOW,
    ledger: noted = {},
    expired,
    skew,
    rules,
    request,
    sight,
    driver,
  }: Given = {},
): Plan<Action> {
  const ledger: Ledger = {
    ...emptyLedger('v'),
    policies: {
      ...Object.fromEntries(
        Object.keys(policies).map((name) => [name, { accounted: now.toISOString(), open: null, slots: [] }]),
      ),
      ...noted,
    },
    work: copy === undefined ? {} : copiesAs({ [KEY]: copy }),
    ...(sight === undefined ? {} : { sight }),
  }
  const parsed = parseWorld(world, jobs)
  for (const [remote, reply] of Object.entries(parsed.remotes)) {
    if (!reply.ok) continue
    const { inventory } = reply
    if (driver !== undefined) inventory.pools.default = driver
    if (remote === 'main' && expired !== undefined) inventory.expired = expired
    if (remote === 'main' && skew !== undefined) inventory.server = { ...inventory.server, skew }
    if (remote !== 'backup' || rules === undefined) continue
    if (rules === null) delete inventory.rules
    else inventory.rules = rules
  }
  const seen = worldOf(parsed)
  return decide({
    request,
    installation: INSTALLATION,
    coverages: coverInstances(configOf(policies), seen.remotes),
    world: seen,
    ledger,
    now,
  })
}

export const started: CopyWork = { state: 'started', job: JOB, attempts: 0, at: '2026-11-22T03:01:00.000Z' }

export const report = (state: JobReport['state'], rest: Partial<JobReport> = {}): JobReport => ({
  id: JOB,
  state,
  since: '2026-11-22T03:01:00Z',
  memo: { through: seconds('2026-11-22T03:00Z'), extended: {} },
  ...rest,
})

export const copyOf = ({ actions }: Plan<Action>): CopyAction | undefined =>
  actions.find((action): action is CopyAction => action.kind === 'copy')
export const verifyOf = ({ actions }: Plan<Action>): VerifyAction | undefined =>
  actions.find((action): action is VerifyAction => action.kind === 'verify')

/** What the run learned of its one copy. */
export const entryIn = (plan: Plan<Action>): CopyWork | undefined => Object.values(copiesOf(plan))[0]
