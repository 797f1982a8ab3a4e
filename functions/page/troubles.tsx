/** How things are, and all that isn't well: the verdict in its own words. */
import { count } from '../../shared/chat/words.ts'
import { parseSubject } from '../../shared/incus/subject.ts'
import type { Tone, Trouble } from '../../shared/promise/verdict.ts'
import { TONES } from './lamp.tsx'
import { Ago, Spoken, SubjectLink } from './text.tsx'

type HeadlineProps = { tone: Tone; text: string; seen: string | null; now: Date }

export const Headline = ({ tone, text, seen, now }: HeadlineProps) => (
  <section class={`card verdict ${tone}`}>
    <span class="sign" aria-hidden="true">
      {TONES[tone].sign}
    </span>
    <div>
      <h1>{TONES[tone].word}</h1>
      <p>{text}</p>
      <p class="muted">
        {seen === null ? (
          'No tick has looked yet.'
        ) : (
          <>
            Looked at <Ago at={seen} now={now} />.
          </>
        )}
      </p>
    </div>
  </section>
)

/** So many are shown at once; the others are folded, for a server that is down has many. */
const OPEN = 10
/** And no more in all: the list below shows the others. */
const MOST = 200

/** `here`: what the page itself is about. */
type TroublesProps = { troubles: readonly Trouble[]; here?: string; now: Date }

export function Troubles({ troubles, here = '', now }: TroublesProps) {
  if (troubles.length === 0) return null
  const [open, folded] = [troubles.slice(0, OPEN), troubles.slice(OPEN, MOST)]
  const rest = troubles.length - OPEN - folded.length
  return (
    <section aria-labelledby="troubles">
      <h2 id="troubles">{`What to do (${troubles.length})`}</h2>
      <div class="card">
        <TroubleList troubles={open} here={here} now={now} />
        {folded.length === 0 ? null : (
          <details>
            <summary>{`${count(folded.length + Math.max(0, rest), 'more', 'more')}`}</summary>
            <TroubleList troubles={folded} here={here} now={now} />
            {rest > 0 ? <p>{`And ${rest} more: show what needs a look in the list below.`}</p> : null}
          </details>
        )}
      </div>
    </section>
  )
}

const SIGNS = {
  bad: { sign: '✕', word: 'Not protected' },
  warning: { sign: '!', word: 'Needs a look' },
} as const

const TroubleList = ({ troubles, here = '', now }: TroublesProps) => (
  <ul class="troubles">
    {troubles.map(({ tone, about, text }) => (
      <li class={tone}>
        <span class="sign" aria-hidden="true">
          {SIGNS[tone].sign}
        </span>
        <p>
          <span class="hidden">{SIGNS[tone].word}: </span>
          <Spoken text={text} now={now} />
          {about === null || about === here || parseSubject(about) === null ? null : (
            <>
              {' '}
              <SubjectLink at={about}>{`Show ${about}`}</SubjectLink>
            </>
          )}
        </p>
      </li>
    ))}
  </ul>
)
