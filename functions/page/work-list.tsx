/** Long work, each with how far it is, where that is known. */
import { parseProgress } from '../../shared/chat/age.ts'
import { type ShownWork, workText } from '../../shared/command/work.ts'
import { Pieces } from './text.tsx'

type WorkListProps = {
  /** Names the section in the page. */
  id: string
  title: string
  work: readonly (ShownWork & { progress?: string | null })[]
  now: Date
}

/** With a bar, where all of it is known. */
function HowFar({ text }: { text: string }) {
  const percent = parseProgress(text)?.percent ?? null
  return (
    <>
      <strong>{`: ${text}`}</strong>
      {percent === null ? null : <progress value={percent} max={100} aria-label={`${percent} %`} />}
    </>
  )
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
                {one.progress == null ? null : <HowFar text={one.progress} />}
              </p>
            </li>
          ))}
        </ul>
      </div>
    </section>
  )
}
