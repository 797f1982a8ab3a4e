/** How it reads what is said of an export. */
import { subjectKey } from '../../incus/subject.ts'
import type { Line } from '../../plan/line.ts'
import type { DropExportAction, HoldExportAction, RemoveExportAction, UndoExportAction } from './action.ts'

const lineOf = (
  { ref, store, name }: DropExportAction | HoldExportAction | RemoveExportAction | UndoExportAction,
  sign: Line['sign'],
  reason: string,
): Line => ({ about: subjectKey(ref), sign, counts: 'said', what: `${store}:${name}`, reason })

export const holdExportLine = (action: HoldExportAction): Line =>
  lineOf(
    action,
    '#',
    action.note === null
      ? `released: ${action.reason}; its policy decides again how long it stays, for a day nothing removes it`
      : `held: ${action.note}${action.going ? ', and its removal is taken back' : ''}`,
  )

export const undoExportLine = (action: UndoExportAction): Line =>
  lineOf(action, '#', `its removal is taken back: ${action.reason}`)

export function removeExportLine(action: RemoveExportAction): Line {
  const { snapshot, store, end, last, reason } = action
  const which = last ? `the NEWEST WHOLE export, of ${snapshot},` : `the export of ${snapshot}`
  return lineOf(action, '-', `${which} goes from ${store} on ${end} (${reason}); ${undoText(action)}`)
}

/** How its removal is taken back. */
export const undoText = ({ ref, store, name }: Pick<RemoveExportAction, 'ref' | 'store' | 'name'>): string =>
  `until then /backup undo-export ${subjectKey(ref)} --from=${store} --export=${name} takes that back`

export const dropExportLine = (action: DropExportAction): Line =>
  lineOf(action, '-', `the export of ${action.snapshot} goes from ${action.store}: ${action.reason}`)
