/** A restore in a plan's digest, without the safety snapshot's name until it is taken, as that depends on the clock. */
import { subjectKey } from '../../incus/subject.ts'
import type { RestoreAction } from './action.ts'

export function restoreEssence({
  ref,
  snapshot,
  safety,
  restored,
  running,
  stateful,
  diskOnly,
  users,
}: RestoreAction): string {
  const stage = restored ? 'marks' : safety.taken ? safety.name : 'safety first'
  const how = `${running ? 'running' : 'stopped'}${stateful ? ' stateful' : ''}${diskOnly ? ' disk' : ''}`
  const stops = users.length === 0 ? '' : ` stops ${users.join(',')}`
  return `restore ${subjectKey(ref)} ${snapshot} ${how} ${stage}${stops}`
}
