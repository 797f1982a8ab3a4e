/** What a restore comes to in a digest: its safety snapshot is named by the clock, until it is taken. */
import { subjectKey } from '../../incus/subject.ts'
import type { RestoreAction } from './action.ts'

export function restoreEssence({
  ref,
  snapshot,
  safety,
  restored,
  running,
  stateful,
}: RestoreAction): string {
  const stage = restored ? 'marks' : safety.taken ? safety.name : 'safety first'
  const how = `${running ? 'running' : 'stopped'}${stateful ? ' stateful' : ''}`
  return `restore ${subjectKey(ref)} ${snapshot} ${how} ${stage}`
}
