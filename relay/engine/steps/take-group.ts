/**
 * Takes snapshots of an instance and its volumes as one. The order: what a try before has left goes; the journal, and a mark on
 * what runs; that stands still; all snapshots at once; it runs again, whatever came of them; and what is only a part goes.
 */
import { classify } from '../../../shared/incus/refusal.ts'
import { parseSnapshotName, SAFETY } from '../../../shared/incus/snapshot-name.ts'
import { type InstanceRef, subjectKey, volumeIn } from '../../../shared/incus/subject.ts'
import { PAUSING } from '../../../shared/policy/marks.ts'
import type { CallError, Job } from '../../../shared/relay/protocol.ts'
import type { GroupReply, TakeGroupStep } from '../../../shared/relay/steps.ts'
import { err, ok, type Result } from '../../../shared/result.ts'
import { runCalls } from '../call-list.ts'
import type { Group } from '../groups.ts'
import { whileRestored } from '../locks.ts'
import { pauseMark } from '../pause-mark.ts'
import { readStatus, resume } from '../pausing.ts'
import { againstRemoval } from '../removal.ts'
import { isSource, isTarget, notSource, refused } from '../rules.ts'
import { afterText, insteadText, makeReady, whyNoHook } from './group-ready.ts'
import { lateAfter, movedOf, RUNS, type Seen, STILL, wokenOf } from './group-still.ts'
import { markCall, removeCall, STEP_WAIT, stateCall, takeCall } from './requests.ts'
import { isWhole } from './snapshots.ts'
import type { PlanStep, StepIo } from './step-io.ts'

export const planTakeGroup: PlanStep<TakeGroupStep> = async (step, io, job) => {
  const { snapshot } = step
  const members = step.members.map(({ ref }) => ref)
  const what = `take ${snapshot} of ${members.map(subjectKey).join(', ')}`
  const policy = parseSnapshotName(snapshot)?.policy
  if (policy === undefined || policy === SAFETY)
    return err(refused(what, 'no policy’s snapshot has such a name'))
  if (new Set(members.map(subjectKey)).size < members.length) return err(refused(what, 'one is named twice'))
  for (const ref of members) {
    const why = await against(ref, job, io)
    if (why !== null) return err('code' in why ? why : refused(what, why.reason))
  }
  for (const ref of members) {
    const left = await io.groups.clear(ref, snapshot)
    if (left !== null) return err(left)
  }
  const seen = await statusIn(members, io)
  if (!seen.ok) return seen
  const running = seen.value.filter(({ status }) => RUNS.includes(status)).map(({ ref }) => ref)
  const quiet = seen.value.filter(({ status }) => !RUNS.includes(status))
  const taken = io.groups.claim(job, { snapshot, members }, running.length > 0)
  if (taken !== null) return err(taken)
  try {
    // One that began before this claim has not seen it.
    const restored = members.map((ref) => io.busy.whileDone(subjectKey(ref), 'restores'))
    const restore = restored.find((error) => error !== null) ?? null
    if (restore !== null) return err(restore)
    const whole = await allWhole(step, io)
    if (!whole.ok) return whole
    if (whole.value) return ok({ calls: [], reply: { paused: {} } satisfies GroupReply })
    const cleared = await clear(step, job, io)
    if (!cleared.ok) return cleared
    const there = await againstPresent(step, io)
    if (there !== null) return err(there)
    const done = await admitted(step, io, () => takeAll(step, { running, quiet }, io))
    return done.ok ? ok({ calls: [], reply: done.value }) : done
  } finally {
    io.groups.release(job)
  }
}

async function against(
  ref: InstanceRef,
  job: Job,
  io: StepIo,
): Promise<CallError | { reason: string } | null> {
  if (!isSource(io.remotes, ref.remote)) return { reason: notSource(ref.remote) }
  const copy = isTarget(io.remotes, ref.remote) ? await io.sightings.isCopy(ref) : ok(false)
  if (!copy.ok) return copy.error
  if (copy.value) return { reason: `${subjectKey(ref)} is a copy` }
  return whileRestored(ref, job.id, io.locks)
}

/** Of its instances. One that stands still already was stopped by somebody else, and stays so. */
async function statusIn(members: readonly InstanceRef[], io: StepIo): Promise<Result<Seen[], CallError>> {
  const all: Seen[] = []
  for (const ref of members.filter(({ instance }) => volumeIn(instance) === null)) {
    // What an earlier try has left standing still.
    const resumed = (await io.groups.resuming(ref)) ?? ok(null)
    if (!resumed.ok) return resumed
    const seen = await readStatus(ref, io)
    if (!seen.ok) return seen
    if (seen.value === null)
      return err({ code: 'incus', status: 404, message: `Instance not found: ${subjectKey(ref)}` })
    all.push({ ref, status: seen.value.status })
  }
  return ok(all)
}

/** What a second tick wants again, though all of it was seen to be made. */
async function allWhole(
  { members, snapshot }: TakeGroupStep,
  io: StepIo,
): Promise<Result<boolean, CallError>> {
  if (members.every(({ again }) => again === undefined)) return ok(false)
  for (const { ref } of members) {
    const whole = await isWhole(ref, snapshot, io)
    if (!whole.ok || !whole.value) return whole
  }
  return ok(true)
}

/** What may be partial of an earlier try under that name. */
async function clear(
  { members, snapshot }: TakeGroupStep,
  job: Job,
  io: StepIo,
): Promise<Result<null, CallError>> {
  for (const { ref, again } of members) {
    if (again === undefined) continue
    const why = await againstRemoval(ref, { snapshot, by: job }, io)
    if (!why.ok) return why
    if (why.value !== null) return err(refused(`replace ${snapshot} of ${subjectKey(ref)}`, why.value))
    const ran = await runCalls([removeCall(ref, snapshot)], io, { urgent: true })
    if (!ran.ok) return ran
  }
  return ok(null)
}

/** One of that name that is there is none of what is taken now, and giving up would remove it with that. */
async function againstPresent({ members, snapshot }: TakeGroupStep, io: StepIo): Promise<CallError | null> {
  const seen = await Promise.all(
    members.map(async ({ ref }) => ({ ref, read: await io.sightings.read(ref) })),
  )
  for (const { ref, read } of seen) {
    if (!read.ok) return read.error
    const { snapshots } = read.value
    if (snapshots === null)
      return { code: 'bad-reply', message: `${subjectKey(ref)}: its snapshots could not be listed` }
    if (snapshots.some(([name]) => name === snapshot))
      return {
        code: 'incus',
        status: 409,
        message: `Snapshot "${snapshot}" already in use: ${subjectKey(ref)}`,
      }
  }
  return null
}

/** All of it counts as one request, for nothing that stands still may wait for others. */
async function admitted<Value>(
  { members: [first], snapshot: name }: TakeGroupStep,
  io: StepIo,
  work: () => Promise<Result<Value, CallError>>,
): Promise<Result<Value, CallError>> {
  if (first === undefined) return work()
  const { ref, expiresAt } = first
  let ended: Result<Value, CallError> = err({ code: 'unreachable', message: 'nothing was sent' })
  await io.admit(takeCall(ref, { name, stateful: false, expiresAt }, STEP_WAIT), false, async () => {
    ended = await work()
    return ended.ok ? ok({ remote: ref.remote, body: null, operation: null }) : ended
  })
  return ended
}

const UNNOTED: CallError = {
  code: 'not-allowed',
  message: 'the relay can’t write its journal, so it lets nothing stand still: look at its disk',
}

async function takeAll(
  step: TakeGroupStep,
  { running, quiet }: { running: readonly InstanceRef[]; quiet: readonly Seen[] },
  limited: StepIo,
): Promise<Result<GroupReply, CallError>> {
  const { members, snapshot, pause, hook: wanted } = step
  const io: StepIo = { ...limited, admit: (_call, _urgent, work) => work() }
  const { clock } = io
  const missing = wanted === undefined ? null : whyNoHook(wanted, running, io)
  if (missing !== null && wanted?.otherwise === 'fail') return err(missing)
  const hook = missing === null && running.length > 0 ? wanted : undefined
  const begun: Group = {
    ...{ snapshot, paused: running, since: clock.now() },
    members: members.map(({ ref }) => ref),
    ...(hook === undefined ? {} : { hook: hook.name }),
  }
  // Until they are asked for, none that is there is of this try.
  if (!io.groups.begin({ ...begun, mine: [] })) return err(UNNOTED)
  const marked = await all(running, (ref) =>
    runCalls([markCall(ref, { [PAUSING]: pauseMark(ref, begun.since, io.seal, hook?.name) })], io, {
      urgent: true,
    }),
  )
  if (marked !== null) return giveUp(begun, [], marked, io)
  const unready = hook === undefined ? missing : await makeReady(hook, running, begun.since, io)
  if (unready !== null && wanted?.otherwise === 'fail') {
    const given = await giveUp(begun, [], unready, io)
    // The guests were made ready, and this can be asked for again and again.
    for (const ref of running) io.groups.noteRun(ref, clock.now() - begun.since)
    return given
  }
  // Those that no hook has made ready.
  const still = hook === undefined || unready !== null ? running : []
  const stopped = clock.now()
  const left = (): number => (running.length === 0 ? STEP_WAIT : pause - (clock.now() - stopped) / 1000)
  const late = lateAfter(running.length === 0 ? null : pause, step, io)
  const frozen = all(still, (ref) => runCalls([stateCall(ref, 'freeze', pause)], io, { urgent: true }))
  let wrong = await Promise.race([frozen, late.comes])
  const group: Group = { ...begun, asked: clock.now() }
  if (wrong === null && !io.groups.begin(group)) wrong = UNNOTED
  const taking =
    wrong !== null
      ? []
      : members.map(({ ref, expiresAt }) => {
          const wanted = takeCall(ref, { name: snapshot, stateful: false, expiresAt }, Math.max(1, left()))
          return runCalls([wanted], io, { urgent: true })
        })
  wrong ??= await Promise.race([firstError(taking), late.comes])
  late.off()
  wrong ??= await movedOf(running, still.length > 0 ? STILL : RUNS, snapshot, io)
  wrong ??= await wokenOf(quiet, snapshot, io)
  // Before anything else, also where it is still being made.
  const resumed = await all(running, (ref) => resume(ref, io))
  const paused = (clock.now() - stopped) / 1000
  for (const ref of running)
    io.groups.noteRun(ref, clock.now() - (hook === undefined ? stopped : begun.since))
  await frozen
  const ended = await Promise.all(taking)
  const reply: GroupReply = {
    paused: Object.fromEntries(still.map((ref) => [subjectKey(ref), rounded(paused)])),
    ...(wanted === undefined || unready === null ? {} : { remark: insteadText(wanted, unready) }),
  }
  if (wrong === null && resumed !== null && hook !== undefined) {
    // What was taken counts; only the command after is left.
    const left = await io.groups.undo({ ...group, mine: [] })
    return ok(left === null ? reply : { ...reply, remark: reply.remark ?? afterText(hook) })
  }
  if (wrong !== null || resumed !== null) {
    const mine = group.members.filter((_, at) => isMine(ended[at]))
    return giveUp(group, mine, wrong ?? resumed ?? UNNOTED, io)
  }
  io.groups.done(group)
  return ok(reply)
}

/** To a tenth of a second. */
const rounded = (seconds: number): number => Math.round(seconds * 10) / 10

/** The first error, once all have ended. */
async function all(
  refs: readonly InstanceRef[],
  what: (ref: InstanceRef) => Promise<Result<unknown, CallError>>,
): Promise<CallError | null> {
  const results = await Promise.all(refs.map(what))
  const bad = results.find(({ ok: isOk }) => !isOk)
  return bad?.ok === false ? bad.error : null
}

/** As soon as there is one; null: all have ended well. */
const firstError = (runs: readonly Promise<Result<unknown, CallError>>[]): Promise<CallError | null> =>
  new Promise((resolve) => {
    for (const run of runs) void run.then((result) => (result.ok ? null : resolve(result.error)))
    void Promise.all(runs).then((results) => (results.every((one) => one.ok) ? resolve(null) : null))
  })

/** Whether what has that name may be of this try: it was asked for, and Incus did not say that another one has the name. */
const isMine = (taken: Result<unknown, CallError> | undefined): boolean =>
  taken !== undefined && (taken.ok || classify(taken.error) !== 'exists')

/** What is left of `mine` counts for nothing: the caller has to know that there may be something under that name. */
async function giveUp(
  group: Group,
  mine: readonly InstanceRef[],
  error: CallError,
  io: StepIo,
): Promise<Result<never, CallError>> {
  const left = await io.groups.undo({ ...group, mine })
  const { message } = error
  if (left === null) return err(error.code === 'incus' ? error : { ...error, code: 'incus' })
  return err({ code: 'timeout', message: `${message}; and a part of it may be left: ${left.message}` })
}
