/** Reads what copies need before they start: their sources in full, and the state on the target. */

import { type Profiles, parseProfiles } from '../../incus/profiles.ts'
import { request } from '../../incus/routes.ts'
import { type Expiring, parseExpiries, parseSource, type SourceDetails } from '../../incus/source.ts'
import type { InstanceRef } from '../../incus/subject.ts'
import { own } from '../../own.ts'
import type { Outcome } from '../../plan/jobs.ts'
import type { Note } from '../../plan/plan.ts'
import type { World } from '../../plan/world.ts'
import type { CallError, Job } from '../../relay/protocol.ts'
import { err, ok, type Result } from '../../result.ts'
import type { Answers, Prepared } from '../kind.ts'
import type { CopyAction, VerifyAction } from './action.ts'
import { type Fit, fitOf } from './fit.ts'
import { copyJob, copySteps, verifyJob } from './steps.ts'
import { refuseUnlisted } from './unlisted.ts'

type CopyRead = { details: SourceDetails; onTarget: Expiring[]; fit: Fit }

const isCopy = (action: CopyAction | VerifyAction): action is CopyAction => action.kind === 'copy'
const isVerify = (action: CopyAction | VerifyAction): action is VerifyAction => action.kind === 'verify'

export function readJobs(actions: readonly (CopyAction | VerifyAction)[]): Job[] {
  const copies = actions.filter(isCopy)
  const places = new Map(copies.map(({ target }) => [placeOf(target), target]))
  return [...copies.map(readJob), ...[...places].map(([id, target]) => profilesJob(id, target))]
}

/** A copy isn't tried if its source can't be read, or the target would refuse it. */
export function prepareCopies(
  actions: readonly (CopyAction | VerifyAction)[],
  answers: Answers,
  world: Pick<World, 'remotes'>,
  now: Date,
): Prepared {
  const prepared = actions.filter(isCopy).map((action) => prepareOne(action, answers, world, now))
  return {
    jobs: [...actions.filter(isVerify).map(verifyJob), ...prepared.flatMap(({ jobs }) => jobs)],
    outcomes: prepared.flatMap(({ outcomes }) => outcomes),
    notes: prepared.flatMap(({ notes }) => notes),
  }
}

function prepareOne(
  action: CopyAction,
  answers: Answers,
  world: Pick<World, 'remotes'>,
  now: Date,
): Prepared {
  const refused = (error: CallError): Prepared => {
    const outcome: Outcome = { action, state: 'refused', error }
    return { jobs: [], outcomes: [outcome], notes: [] }
  }
  const read = readOne(action, answers, world)
  if (!read.ok) return refused(read.error)
  const { details, onTarget, fit } = read.value
  if (fit.refusal !== null) return refused({ code: 'bad-request', message: fit.refusal })
  return {
    jobs: [copyJob(copySteps(action, details, onTarget, now))],
    outcomes: [],
    notes: fit.warnings.map((reason): Note => ({ kind: 'problem', about: action.key, reason })),
  }
}

function readOne(
  action: CopyAction,
  answers: Answers,
  { remotes }: Pick<World, 'remotes'>,
): Result<CopyRead, CallError> {
  const read = parseOne(action, answers)
  if (!read.ok) return read
  const reply = own(remotes, action.target.remote)
  const rules = reply?.ok === true ? own(reply.inventory.projectRules, action.target.project) : undefined
  const { details, onTarget } = read.value
  const refusal = refuseUnlisted(action, details.snapshots, onTarget)
  const fit =
    refusal === null
      ? fitOf(action, details, profilesIn(answers, placeOf(action.target)), rules)
      : { refusal, warnings: [] }
  return ok({ ...read.value, fit })
}

const placeOf = ({ remote, project }: InstanceRef): string => `profiles ${remote}/${project}`

/** Those of `default` where the project has none of its own. */
const profilesJob = (id: string, { remote, project }: InstanceRef): Job => ({
  id,
  steps: [{ remote, reply: true, ...request('listProfiles', {}, { project, recursion: '1' }) }],
})

/** If the certificate can't see them, the copy is tried without this check. */
function profilesIn(answers: Answers, place: string): Profiles | null {
  const step = answers.of(place)?.[0]
  return step?.ok === true ? parseProfiles(step.metadata) : null
}

function parseOne({ job, first }: CopyAction, answers: Answers): Result<Omit<CopyRead, 'fit'>, CallError> {
  const answer = answers.of(job)
  if (answer === null)
    return err(answers.error ?? { code: 'timeout', message: 'the relay gave no answer about the source' })
  const [one, list, onTarget] = answer
  if (one?.ok !== true || list?.ok !== true || (onTarget?.ok !== true && !first)) {
    const failed = answer.find((report) => !report.ok)
    return failed?.ok === false
      ? err(failed.error)
      : err({ code: 'timeout', message: 'the relay gave an incomplete answer about the source' })
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
