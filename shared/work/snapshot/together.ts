/** The decision for what is taken as one: all of it has the slot's snapshot under one name, or none of it has. */
import { own } from '../../own.ts'
import type { Covered } from '../../policy/cover.ts'
import type { Policy } from '../../policy/policy.ts'
import { isVolume } from '../../policy/volumes.ts'
import type { GroupAction, SnapshotAction } from './action.ts'
import { type Decision, decisionOf, freeName, momentOf, type Slot, takeUnder } from './decision.ts'
import { takenFor } from './taken.ts'

export function decideTogether(slot: Slot, group: readonly Covered[]): Decision[] {
  const [leader] = group
  if (leader === undefined) return []
  const each = group.map((one) => decisionOf(slot, one, leader))
  const name = each.every(({ is }) => is === 'served') ? commonName(slot, group) : null
  if (name !== null) return group.map(({ key }): Decision => ({ is: 'served', key, name }))
  const stuck = each.find((one) => one.is === 'failed') ?? latest(each)
  return stuck === undefined ? takeTogether(slot, group, leader) : each.map((one) => stuckBy(one, stuck))
}

/** The one that is waited for the longest. */
const latest = (decisions: readonly Decision[]): (Decision & { is: 'waiting' }) | undefined =>
  decisions
    .flatMap((one) => (one.is === 'waiting' ? [one] : []))
    .sort((a, b) => (a.until < b.until ? 1 : -1))[0]

/** What one of it waits for, or fails by, holds for all. */
function stuckBy(one: Decision, by: Decision & { is: 'failed' | 'waiting' }): Decision {
  if (one.is === by.is) return one
  const { key, attempt } = one
  const kept = attempt === undefined ? {} : { attempt }
  return by.is === 'waiting'
    ? { is: 'waiting', key, until: by.until, ...kept }
    : { is: 'failed', key, reason: `it is taken together with ${by.key}: ${by.reason}`, ...kept }
}

/** The first name under which all of it was taken for the slot; null: there is none. */
function commonName({ policy, open, partial }: Slot, group: readonly Covered[]): string | null {
  const [first = [], ...others] = group.map(({ key, record }) => {
    const made = own(open.made, key)
    const taken = takenFor(policy, open, record.snapshots ?? [], { key, partial })
    return made === undefined ? taken : [...taken, made]
  })
  return first.find((name) => others.every((names) => names.includes(name))) ?? null
}

function takeTogether(slot: Slot, group: readonly Covered[], leader: Covered): Decision[] {
  const { from, moment } = momentOf(slot, leader)
  if (from > slot.serving.now)
    return group.map(({ key }): Decision => ({ is: 'waiting', key, until: from.toISOString() }))
  const name = freeName(
    slot.policy,
    moment,
    group.map(({ record }) => record),
  )
  return group.map((one) => {
    const decision = takeUnder(slot, { ...one, policy: { ...one.policy, stateful: false } }, name)
    return decision.is === 'taken'
      ? { ...decision, action: { ...decision.action, standstill: standstillOf(one) }, group: leader.key }
      : decision
  })
}

function standstillOf({ record, policy: { together } }: Covered): string | null {
  if (isVolume(record) || !RUNS.includes(record.status)) return null
  const hook = together?.hook
  return hook === undefined
    ? 'it stands still until its volumes are taken, too'
    : `its hook "${hook.name}" runs before and after`
}

const RUNS = ['Running', 'Ready']

export function asGroups(
  decisions: readonly Decision[],
  { name: policy, together }: Pick<Policy, 'name' | 'together'>,
): (SnapshotAction | GroupAction)[] {
  const groups = new Map<string, GroupAction>()
  const actions: (SnapshotAction | GroupAction)[] = []
  for (const decision of decisions) {
    if (decision.is !== 'taken') continue
    const { action, group } = decision
    const known = groups.get(group ?? '')
    if (group === undefined) actions.push(action)
    else if (known !== undefined) known.parts.push(action)
    else {
      const { name, reason } = action
      const pause = together?.pause ?? 0
      const hook = together?.hook
      const one: GroupAction = {
        ...{ kind: 'snapshot-group', policy, name, parts: [action], pause, reason },
        ...(hook === undefined ? {} : { hook }),
      }
      groups.set(group, one)
      actions.push(one)
    }
  }
  return actions
}
