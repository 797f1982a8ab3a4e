/** What somebody names of a group goes with the rest of it, or stays. */
import { expect, test } from 'vitest'
import { coverInstances } from '../../../../shared/policy/coverage.ts'
import type { ExpireAction } from '../../../../shared/work/retention/action.ts'
import { namedWhole } from '../../../../shared/work/retention/whole.ts'
import { configOf, recordOf, replyOf } from '../../policy/instances.ts'

const PAIRS: [string, number][] = [['p-20261120T0100Z', 1]]
const [[NAME]] = PAIRS as [[string, number]]

const actionOn = (instance: string): ExpireAction => ({
  ...{ kind: 'expire', ref: { remote: 'main', project: 'default', instance }, snapshot: NAME },
  ...{ reason: 'asked for', policy: 'p' },
})

test.each<[string, [string, number][] | null, string[], string[]]>([
  ['is known', PAIRS, ['web', 'default:data'], []],
  ['is not known', null, [], ['main/default/default:data: its pool is away']],
])('with the rest of it, if that %s', (_, snapshots, going, kept) => {
  const config = configOf({ p: { select: { volumes: ['attached'] }, together: true } })
  const users = ['default/web']
  const data = { type: 'volume' as const, users, snapshots, problem: 'its pool is away' }
  const records = [recordOf('web', { snapshots: PAIRS }), recordOf('default:data', data)]
  const coverages = coverInstances(config, { main: replyOf(records) })
  const whole = namedWhole({ actions: [actionOn('web')], coverages }, ({ ref }) => ({
    action: actionOn(ref.instance),
  }))
  expect(whole.actions.map(({ ref }) => ref.instance)).toEqual(going)
  expect(whole.kept.map(({ reason }) => reason)).toEqual(kept)
})
