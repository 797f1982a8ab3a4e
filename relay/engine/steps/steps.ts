/** All steps that a job may have, with what each does. */
import { isSubjectName } from '../../../shared/incus/names.ts'
import { type InstanceRef, nounOf, subjectKey } from '../../../shared/incus/subject.ts'
import type { CallError, Job } from '../../../shared/relay/protocol.ts'
import type { Step } from '../../../shared/relay/steps.ts'
import { err, type Result } from '../../../shared/result.ts'
import type { Watcher } from '../call-list.ts'
import { refused } from '../rules.ts'
import { planCancel } from './cancel.ts'
import { planCheckExport } from './check-export.ts'
import { planCheckClone, planClone } from './clone.ts'
import { planFinishClone, planRemoveClone } from './clone-finish.ts'
import { planCheckCopy, planCopy } from './copy.ts'
import { planExpireExport, planSurveyExports } from './expire-export.ts'
import { planExpireLater, planUndo } from './expire-later.ts'
import { planExport, planReadExports } from './export.ts'
import { planCheckImport, planImport } from './import.ts'
import { planEndRestore, planHold, planStart, planThaw } from './instances.ts'
import { planDropExport, planNoteExport } from './note-export.ts'
import { planProlong } from './prolong.ts'
import { planPut } from './put.ts'
import { planReadSnapshots } from './read.ts'
import { planDescribe, planRename } from './rename.ts'
import { planRestore } from './restore.ts'
import { planSchedule } from './schedule.ts'
import { planExpire, planExpiry, planPostpone, planTake } from './snapshots.ts'
import type { Planned, PlanStep, StepIo } from './step-io.ts'
import { planTakeGroup } from './take-group.ts'
import { planVerify } from './verify.ts'

const PLANS: { [Do in Step['do']]: PlanStep<Extract<Step, { do: Do }>> } = {
  take: planTake,
  'take-group': planTakeGroup,
  expire: planExpire,
  'expire-later': planExpireLater,
  undo: planUndo,
  'set-expiry': planExpiry,
  postpone: planPostpone,
  hold: planHold,
  schedule: planSchedule,
  rename: planRename,
  describe: planDescribe,
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
  'survey-exports': planSurveyExports,
  'expire-export': planExpireExport,
  'note-export': planNoteExport,
  'drop-export': planDropExport,
  cancel: planCancel,
  put: planPut,
  import: planImport,
  'check-import': planCheckImport,
}

/** Those that are done to custom volumes, too. */
const OF_VOLUMES: readonly Step['do'][] = [
  'take',
  'take-group',
  'expire',
  'expire-later',
  'undo',
  'prolong',
  'set-expiry',
  'postpone',
  'hold',
  'schedule',
  'rename',
  'describe',
  'read-snapshots',
  'restore',
  'end-restore',
  'copy',
  'check-copy',
  'verify',
  'clone',
  'check-clone',
  'finish-clone',
  'remove-clone',
  'export',
  'read-exports',
  'check-export',
  'survey-exports',
  'expire-export',
  'note-export',
  'drop-export',
  'put',
  'import',
  'check-import',
]

/** And those that are done to buckets. */
const OF_BUCKETS: readonly Step['do'][] = [
  'export',
  'read-exports',
  'check-export',
  'survey-exports',
  'expire-export',
  'note-export',
  'drop-export',
  'import',
  'check-import',
  'finish-clone',
  'remove-clone',
  'cancel',
]

const DONE_TO = { volume: OF_VOLUMES, bucket: OF_BUCKETS }
const SAID = { volume: 'a custom volume', bucket: 'a bucket' }

export function requestsOf(
  step: Step,
  job: Job,
  io: StepIo,
  watcher?: Watcher,
): Result<Planned, CallError> | Promise<Result<Planned, CallError>> {
  for (const ref of refsOf(step)) {
    const noun = nounOf(ref)
    if (noun !== 'instance' && !(DONE_TO[noun].includes(step.do) && isSubjectName(ref.instance)))
      return err(refused(`${step.do} ${subjectKey(ref)}`, `that is not done to ${SAID[noun]}`))
  }
  return (PLANS[step.do] as PlanStep<Step>)(step, io, job, watcher)
}

export const remotesOf = (step: Step): string[] => refsOf(step).map(({ remote }) => remote)

function refsOf(step: Step): InstanceRef[] {
  // Whose export it is may be long gone.
  if (step.do === 'import' || step.do === 'check-import') return [step.to]
  if (step.do === 'put') return [step.from, step.ref]
  if ('ref' in step) return [step.ref]
  if ('members' in step) return step.members.map(({ ref }) => ref)
  return 'to' in step ? [step.from, step.to] : [step.source, step.target]
}
