/** All steps that a job may have, with what each does. */
import type { CallError, Job } from '../../../shared/relay/protocol.ts'
import type { Step } from '../../../shared/relay/steps.ts'
import type { Result } from '../../../shared/result.ts'
import type { Watcher } from '../call-list.ts'
import { planCancel } from './cancel.ts'
import { planCheckClone, planClone } from './clone.ts'
import { planFinishClone, planRemoveClone } from './clone-finish.ts'
import { planCheckCopy, planCopy } from './copy.ts'
import { planExpireLater, planUndo } from './expire-later.ts'
import { planCheckExport, planExport, planReadExports } from './export.ts'
import { planEndRestore, planHold, planStart, planThaw } from './instances.ts'
import { planProlong } from './prolong.ts'
import { planReadSnapshots } from './read.ts'
import { planRestore } from './restore.ts'
import { planExpire, planExpiry, planPostpone, planTake } from './snapshots.ts'
import type { Planned, PlanStep, StepIo } from './step-io.ts'
import { planVerify } from './verify.ts'

const PLANS: { [Do in Step['do']]: PlanStep<Extract<Step, { do: Do }>> } = {
  take: planTake,
  expire: planExpire,
  'expire-later': planExpireLater,
  undo: planUndo,
  'set-expiry': planExpiry,
  postpone: planPostpone,
  hold: planHold,
  start: planStart,
  thaw: planThaw,
  'end-restore': planEndRestore,
  restore: planRestore,
  copy: planCopy,
  'check-copy': planCheckCopy,
  verify: planVerify,
  clone: planClone,
  'check-clone': planCheckClone,
  'finish-clone': planFinishClone,
  'remove-clone': planRemoveClone,
  'read-snapshots': planReadSnapshots,
  export: planExport,
  'read-exports': planReadExports,
  prolong: planProlong,
  'check-export': planCheckExport,
  cancel: planCancel,
}

export const requestsOf = (
  step: Step,
  job: Job,
  io: StepIo,
  watcher?: Watcher,
): Result<Planned, CallError> | Promise<Result<Planned, CallError>> =>
  (PLANS[step.do] as PlanStep<Step>)(step, io, job, watcher)

export function remotesOf(step: Step): string[] {
  if ('ref' in step) return [step.ref.remote]
  return 'to' in step ? [step.from.remote, step.to.remote] : [step.source.remote, step.target.remote]
}
