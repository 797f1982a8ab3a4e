/** Every command of `/backup`, as help and menus list them: a new one is a file and a line here. */
import type { Command } from './command.ts'
import { allow } from './commands/allow.ts'
import { bringBack } from './commands/bring-back.ts'
import { cancel } from './commands/cancel.ts'
import { check } from './commands/check.ts'
import { clone } from './commands/clone.ts'
import { copy } from './commands/copy.ts'
import { describe } from './commands/describe.ts'
import { doctor } from './commands/doctor.ts'
import { expire } from './commands/expire.ts'
import { expiry } from './commands/expiry.ts'
import { exporting } from './commands/export.ts'
import { exportList } from './commands/exports.ts'
import { files } from './commands/files.ts'
import { helpOver } from './commands/help.ts'
import { history } from './commands/history.ts'
import { hold } from './commands/hold.ts'
import { holdExport } from './commands/hold-export.ts'
import { importing } from './commands/import.ts'
import { list } from './commands/list.ts'
import { missed } from './commands/missed.ts'
import { move } from './commands/move.ts'
import { notify } from './commands/notify.ts'
import { now } from './commands/now.ts'
import { pause } from './commands/pause.ts'
import { plan } from './commands/plan.ts'
import { policies } from './commands/policies.ts'
import { put } from './commands/put.ts'
import { release } from './commands/release.ts'
import { releaseExport } from './commands/release-export.ts'
import { removeExport } from './commands/remove-export.ts'
import { rename } from './commands/rename.ts'
import { restore } from './commands/restore.ts'
import { resume } from './commands/resume.ts'
import { schedule } from './commands/schedule.ts'
import { status } from './commands/status.ts'
import { takeOver } from './commands/take-over.ts'
import { undo } from './commands/undo.ts'
import { undoExport } from './commands/undo-export.ts'
import { whoami } from './commands/whoami.ts'

export const commands: readonly Command[] = [
  status,
  doctor,
  list,
  exportList,
  files,
  plan,
  now,
  copy,
  exporting,
  check,
  cancel,
  restore,
  put,
  clone,
  bringBack,
  move,
  importing,
  hold,
  release,
  expire,
  undo,
  holdExport,
  releaseExport,
  removeExport,
  undoExport,
  expiry,
  rename,
  describe,
  schedule,
  takeOver,
  allow,
  pause,
  resume,
  missed,
  policies,
  history,
  notify,
  whoami,
  helpOver(() => commands),
]
