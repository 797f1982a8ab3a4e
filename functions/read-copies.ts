/** Reads what copies that are about to start need to know: sources in full, and what waits for them on the target. */
import type { InstanceRef } from '../shared/incus/inventory.ts'
import { parseProfiles } from '../shared/incus/profiles.ts'
import { request } from '../shared/incus/routes.ts'
import { type Expiring, parseExpiries, parseSource, type SourceDetails } from '../shared/incus/source.ts'
import { own } from '../shared/own.ts'
import { type Fit, fitOf } from '../shared/plan/copy-fit.ts'
import type { CopyAction, Note } from '../shared/plan/plan.ts'
import { refuseUnlisted } from '../shared/plan/unlisted.ts'
import type { World } from '../shared/plan/world.ts'
import type { CallError, Job } from '../shared/relay/protocol.ts'
import { err, ok, type Result } from '../shared/result.ts'
import type { JobAnswer, Relay } from './incus/relay.ts'

export type CopyRead = { details: SourceDetails; onTarget: Expiring[]; fit: Fit }

export type ReadCopies = { action: CopyAction; read: Result<CopyRead, CallError> }[]

/** In one call, however many. */
export async function readCopies(
  copies: readonly CopyAction[],
  relay: Relay,
  { remotes }: Pick<World, 'remotes'>,
): Promise<ReadCopies> {
  if (copies.length === 0) return []
  const places = new Map(copies.map(({ target }) => [placeOf(target), target]))
  const jobs = [...copies.map(readJob), ...[...places].map(([id, target]) => profilesJob(id, target))]
  const { answers, error } = await relay.batch(jobs)
  return copies.map((action) => {
    const read = parseOne(action, answers.get(action.job), error)
    if (!read.ok) return { action, read }
    const reply = own(remotes, action.target.remote)
    const rules = reply?.ok === true ? own(reply.inventory.projectRules, action.target.project) : undefined
    const { details, onTarget } = read.value
    const refusal = refuseUnlisted(action, details.snapshots, onTarget)
    const fit =
      refusal === null
        ? fitOf(action, details, profilesIn(answers.get(placeOf(action.target))), rules)
        : { refusal, warnings: [] }
    return { action, read: ok({ ...read.value, fit }) }
  })
}

/** What people are told of copies before they start. */
export const fitNotes = (copies: ReadCopies): Note[] =>
  copies.flatMap(({ action, read }) => {
    const { refusal, warnings } = read.ok ? read.value.fit : { refusal: null, warnings: [] }
    const reasons = refusal === null ? warnings : [refusal]
    return reasons.map((reason): Note => ({ kind: 'problem', about: action.key, reason }))
  })

const placeOf = ({ remote, project }: InstanceRef): string => `profiles ${remote}/${project}`

/** Those of `default` where the project has none of its own. */
const profilesJob = (id: string, { remote, project }: InstanceRef): Job => ({
  id,
  steps: [{ remote, reply: true, ...request('listProfiles', {}, { project, recursion: '1' }) }],
})

/** A certificate may not see them, and a copy goes on without. */
function profilesIn(answer: JobAnswer | undefined) {
  const step = answer === 'accepted' ? undefined : answer?.[0]
  return step?.ok === true ? parseProfiles(step.metadata) : null
}

function parseOne(
  { first }: CopyAction,
  answer: JobAnswer | undefined,
  error: CallError | null,
): Result<Omit<CopyRead, 'fit'>, CallError> {
  if (answer === undefined || answer === 'accepted')
    return err(error ?? { code: 'timeout', message: 'the relay gave no answer about the source' })
  const [one, list, onTarget] = answer
  if (one?.ok !== true || list?.ok !== true || (onTarget?.ok !== true && !first)) {
    const failed = answer.find((report) => !report.ok)
    return failed?.ok === false
      ? err(failed.error)
      : err({ code: 'timeout', message: 'the relay gave half an answer about the source' })
  }
  const details = parseSource(one.metadata, list.metadata)
  if (!details.ok) return err({ code: 'bad-reply', message: details.error })
  const there = onTarget?.ok === true ? parseExpiries(onTarget.metadata) : ok([])
  return there.ok
    ? ok({ details: details.value, onTarget: there.value })
    : err({ code: 'bad-reply', message: there.error })
}

function readJob({ job, source, target, first }: CopyAction): Job {
  const read = ({ remote, instance, project }: InstanceRef) => ({
    one: { remote, reply: true, ...request('getInstance', { instance }, { project }) },
    list: { remote, reply: true, ...request('listSnapshots', { instance }, { project, recursion: '1' }) },
  })
  const { one, list } = read(source)
  return { id: job, steps: first ? [one, list] : [one, list, read(target).list] }
}
