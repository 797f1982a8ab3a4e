/** Which snapshot's files are meant, by what was observed just now; and what is in it. */
import { parsePath } from '../shared/incus/file-path.ts'
import { describe } from '../shared/incus/refusal.ts'
import { type InstanceRef, subjectKey } from '../shared/incus/subject.ts'
import { emptyLedger } from '../shared/ledger/ledger.ts'
import { refuseFiles } from '../shared/plan/filed.ts'
import { findSubject } from '../shared/plan/find.ts'
import { holderOf, type Named } from '../shared/plan/holder.ts'
import type { Refusal } from '../shared/plan/plan.ts'
import type { CallError, FilesReply } from '../shared/relay/protocol.ts'
import { err, ok, type Result } from '../shared/result.ts'
import { refuseEvidence } from '../shared/work/restore/evidence.ts'
import type { RelayFiles } from './incus/relay-files.ts'
import type { Look } from './run.ts'

/** `from`: the remote whose snapshot it shall be. */
export type FilesQuery = Named & { path: string }

/** Where it is read. */
export type Place = {
  ref: InstanceRef
  /** Key of the instance, of which `ref` may be a copy. */
  of: string
  snapshot: string
  path: string
}

type Known = Pick<Look, 'world' | 'coverages' | 'ledger'>

export function placeOf(query: FilesQuery, { world, coverages, ledger }: Known): Result<Place, Refusal> {
  const path = parsePath(query.path)
  if (!path.ok) return err({ code: 'forbidden', reason: path.error })
  const known = { world, coverages, ledger: ledger ?? emptyLedger('') }
  const holder = holderOf(query, known)
  if (!holder.ok) return holder
  const { ref, of, isCopy } = holder.value
  const { snapshot } = query
  const found = isCopy ? null : findSubject(world, of)
  const why =
    refuseFiles(holder.value, snapshot, world) ??
    (found?.ok === true ? refuseEvidence(found.value, snapshot, known) : null)
  return why === null ? ok({ ref, of, snapshot, path: path.value }) : err(why)
}

export type Listed = Extract<FilesReply, { state: 'listed' }> & Place & { from: string }

/** Why there is no list. `wait`: the same may be asked again in some seconds. */
export type Unlisted = { state: 'wait' | 'absent' | 'refused' | 'failed'; reason: string }

type Page = { skip?: number; limit?: number }

export async function listFiles(
  { ref, of, snapshot, path }: Place,
  page: Page,
  files: Pick<RelayFiles, 'list'>,
): Promise<Result<Listed, Unlisted>> {
  const reply = await files.list({ ref, snapshot, path, ...page })
  if (!reply.ok) return err({ state: 'failed', reason: describe(reply.error, true) })
  if (reply.value.state !== 'listed') return err(unlistedBy(reply.value))
  return ok({ ...reply.value, ...{ ref, of, snapshot, path }, from: subjectKey(ref) })
}

export function unlistedBy(reply: Exclude<FilesReply, { state: 'listed' }>): Unlisted {
  if (reply.state === 'preparing') return { state: 'wait', reason: PREPARING }
  const { code, status } = reply.error
  return { state: stateOf(code, status), reason: describe(reply.error, true) }
}

const PREPARING =
  'a copy is being made of the snapshot, from which its files can be read: ask again in some seconds'

function stateOf(code: CallError['code'], status: number | undefined): Unlisted['state'] {
  if (code === 'locked') return 'wait'
  if (code === 'bad-request' && status === 404) return 'absent'
  return code === 'not-allowed' ? 'refused' : 'failed'
}
