/** Long work, each with how far it is, where that is known. */
import { type ShownWork, workText } from '../../shared/command/work.ts'
import { Pieces } from './text.tsx'

type WorkListProps = {
  /** Names the section in the page. */
  id: string
  title: string
  work: readonly (ShownWork & { progress?: string | null })[]
  now: Date
}

export function WorkList({ id, title, work, now }: WorkListProps) {
  if (work.length === 0) return null
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      <div class="card">
        <ul class="troubles">
          {work.map((one) => (
            <li>
              <p>
                <Pieces text={workText(one)} now={now} />
                {one.progress == null ? null : <strong>{`: ${one.progress}`}</strong>}
              </p>
            </li>
          ))}
        </ul>
      </div>
    </section>
  )
}
