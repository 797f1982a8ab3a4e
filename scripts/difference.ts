/** What a document would change, compared with what is applied: its keys, the plan of now, and what goes later. */
import { diffLines, type Line } from '../shared/plan/line.ts'
import { documentDifference } from '../shared/policy/difference.ts'
import type { DocumentFile } from './document.ts'
import { planText } from './plan-text.ts'
import type { Config, Planned, Session, Simulated } from './session.ts'

/** For people; `applied`: null where there is nothing to compare with. */
export async function renderDifference(
  file: DocumentFile,
  { planned, simulated }: { planned: Planned; simulated: Simulated | null },
  applied: Config | null,
  session: Session,
): Promise<string> {
  if (applied === null) return 'Nothing is applied yet, or it can’t be read.\n'
  const keys = documentDifference(applied.document, file.document)
  const before = await session.plan(null)
  const [old, young] = [before.ok ? before.value.lines : planned.lines, planned.lines]
  const { gone, come } = diffLines(old.filter(isDone), young.filter(isDone))
  return [
    section('What differs from the applied configuration', keys.map((line) => `  ${line}\n`).join('')),
    section('What the next tick would do only with this file', come.length === 0 ? '' : planText(come)),
    section('What it would do only as things stand', gone.length === 0 ? '' : planText(gone)),
    section('What changes for the snapshots that exist', laterOf(simulated)),
  ].join('')
}

/** What is kept differs mostly in the words of its rule; what no longer is kept is told below. */
const isDone = ({ sign }: Line): boolean => sign !== '='

const laterOf = (simulated: Simulated | null): string => {
  const lines = simulated?.difference?.lines ?? []
  return lines.length === 0 ? '' : (simulated?.difference?.text ?? '')
}

const section = (title: string, text: string): string => (text === '' ? '' : `${title}:\n${text}\n`)
