/** Requests to call a snapshot otherwise, or to describe one of a custom volume. */
import { refuseRenaming } from '../../incus/snapshot-name.ts'
import { volumeIn } from '../../incus/subject.ts'
import { findSubject, missing } from '../../plan/find.ts'
import type { Refusal } from '../../plan/plan.ts'
import { nameKept } from '../../plan/renaming.ts'
import { err, ok } from '../../result.ts'
import { type Answer, oneOf, type Requestable, type Requested } from '../kind.ts'
import type { DescribeAction, DescribeRequest, RenameAction, RenameRequest } from './action.ts'

export const requestRename: Requestable<RenameRequest> = {
  destructive: false,
  read({ as, ...given }, reason) {
    const one = oneOf('rename', given)
    if (!one.ok) return one
    if (as === undefined) return err('rename needs "as": the new name')
    const why = refuseRenaming(one.value.snapshot, as)
    return why === null ? ok({ do: 'rename', ...one.value, to: as, reason }) : err(`rename: ${why}`)
  },
  plan: planRename,
}

export const requestDescription: Requestable<DescribeRequest> = {
  destructive: false,
  read(given, reason) {
    const one = oneOf('describe', given)
    return one.ok ? ok({ do: 'describe', ...one.value, text: given.note ?? '', reason }) : one
  },
  plan: planDescription,
}

function planRename(requested: Requested<RenameRequest>): Answer | Refusal {
  const { request, world } = requested
  const found = findSubject(world, request.instance)
  if (!found.ok) return found.error
  const { key, ref, snapshots } = found.value
  const { snapshot, to, reason } = request
  const absent = missing(found.value, snapshot)
  if (absent !== null) return absent
  const why = refuseRenaming(snapshot, to)
  if (why !== null) return { code: 'not-ours', reason: `${snapshot} of ${key}: ${why}` }
  if (snapshots.some(([name]) => name === to))
    return { code: 'exists', reason: `${key} has a snapshot "${to}" already` }
  const kept = nameKept(found.value, snapshot, requested)
  if (kept !== null) return kept
  const createdAt = snapshots.find(([name]) => name === snapshot)?.[1] ?? 0
  const action: RenameAction = { kind: 'rename', ref, snapshot, to, createdAt, reason }
  return { actions: [action] }
}

function planDescription({ request, world, found }: Requested<DescribeRequest>): Answer | Refusal {
  const subject = findSubject(world, request.instance)
  if (!subject.ok) return subject.error
  const { key, ref } = subject.value
  const { snapshot, text, reason } = request
  const absent = missing(subject.value, snapshot)
  if (absent !== null) return absent
  if (volumeIn(ref.instance) === null)
    return {
      code: 'not-ours',
      reason: `${key} is an instance, and Incus keeps no description of its snapshots: hold it with a note instead, or rename it`,
    }
  const busy = found.busy.get(key)
  if (busy !== undefined) return { code: 'busy', reason: `${key}: ${busy}; try again when that has ended` }
  const action: DescribeAction = { kind: 'describe', ref, snapshot, text, reason }
  return { actions: [action] }
}
