/** Who holds a snapshot that a request names: the instance itself, or a copy of it on which that is verified. */
import type { InstanceRecord } from '../incus/inventory.ts'
import type { InstanceRef } from '../incus/subject.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { ok, type Result } from '../result.ts'
import { type CopyOf, copiesOf } from './copies-of.ts'
import { didYouMean, findSubject, missing, refuse } from './find.ts'
import type { Refusal } from './plan.ts'
import type { World } from './world.ts'

type Known = { world: World; ledger: Pick<Ledger, 'work'> }

/** `from`: the remote whose snapshot it shall be; absent: the instance's own, if that has it, else a copy's. */
export type Named = { instance: string; snapshot: string; from?: string | undefined }

export type Holder = {
  ref: InstanceRef
  record: InstanceRecord
  /** Key of the instance, also where that is gone. */
  of: string
  isCopy: boolean
}

export function holderOf({ instance, snapshot, from }: Named, known: Known): Result<Holder, Refusal> {
  const found = findSubject(known.world, instance)
  if (found.ok && (from === undefined || from === found.value.ref.remote)) {
    const lacks = missing(found.value, snapshot)
    if (lacks === null) {
      const { ref, key, record } = found.value
      return ok({ ref, record, of: key, isCopy: false })
    }
    if (from !== undefined) return { ok: false, error: lacks }
  }
  if (!found.ok && found.error.code === 'ambiguous') return found
  const path = found.ok ? found.value.key : instance
  const copies = copiesOf(path, known).filter(({ ref }) => from === undefined || ref.remote === from)
  const has = copies.filter(({ verified }) => verified.some(([name]) => name === snapshot))
  const one = onlyCopy(has, instance)
  if (one === null) return noneOf(copies, snapshot, found.ok ? missing(found.value, snapshot) : found.error)
  if (!one.ok) return one
  const { ref, record, of } = one.value
  return ok({ ref, record, of, isCopy: true })
}

/** Null: there is none. */
export function onlyCopy(copies: readonly CopyOf[], path: string): Result<CopyOf, Refusal> | null {
  const [one, other] = copies
  if (one === undefined) return null
  if (other === undefined) return ok(one)
  return copies.every(({ of }) => of === one.of)
    ? refuse(
        'ambiguous',
        `${one.of} has copies on ${copies.map(({ ref }) => ref.remote).join(', ')}: say which one, by --from`,
      )
    : refuse(
        'ambiguous',
        `"${path}" may mean ${copies.map(({ of }) => of).join(', ')}: write it as remote/project/instance`,
      )
}

function noneOf(copies: readonly CopyOf[], snapshot: string, why: Refusal | null): Result<never, Refusal> {
  const [copy] = copies
  if (copy === undefined)
    return { ok: false, error: why ?? { code: 'not-found', reason: 'there is no such snapshot' } }
  const names = copy.verified.map(([name]) => name)
  const isThere = (copy.record.snapshots ?? []).some(([name]) => name === snapshot)
  return isThere
    ? refuse(
        'unverified',
        `${snapshot} of ${copy.key} is not verified, so it may hold no data: choose another one`,
      )
    : refuse(
        'not-found',
        `neither ${copy.of} nor its copy ${copy.key} has a snapshot "${snapshot}"${didYouMean(snapshot, names)}`,
      )
}
