/** Words and moments of the page. JSX escapes all of it, whoever wrote it. */

import { ageOf, spanOf } from '../../shared/chat/age.ts'
import type { Piece, Text } from '../../shared/chat/message.ts'
import { spoken } from '../../shared/chat/words.ts'
import { minuteText } from '../../shared/minute.ts'

/** In UTC: without scripts nobody knows the reader's zone. */
export const Moment = ({ at }: { at: string }) => <time datetime={at}>{minuteText(at)}</time>

/** "3 h ago", "in 20 min", with the moment itself for those who point at it. */
export function Ago({ at, now }: { at: string; now: Date }) {
  const ahead = new Date(at).getTime() - now.getTime()
  return (
    <time datetime={at} title={minuteText(at)}>
      {ahead > 0 ? `in ${spanOf(ahead)}` : `${ageOf(at, now)} ago`}
    </time>
  )
}

/** Without a moment in it that only a machine reads. */
export const Spoken = ({ text, now }: { text: string; now: Date }) => <Pieces text={spoken(text)} now={now} />

export const Pieces = ({ text, now }: { text: Text; now: Date }) => (
  <>
    {text.map((piece) => (
      <One piece={piece} now={now} />
    ))}
  </>
)

function One({ piece, now }: { piece: Piece; now: Date }) {
  if (typeof piece === 'string') return <>{piece}</>
  if ('code' in piece) return <code>{piece.code}</code>
  if ('strong' in piece) return <strong>{piece.strong}</strong>
  if ('user' in piece) return <>{piece.user}</>
  return piece.style === 'ago' ? <Ago at={piece.at} now={now} /> : <Moment at={piece.at} />
}

/** Each part is escaped: a name may hold anything. */
export const subjectPath = (key: string): string =>
  `/subject/${key
    .split('/')
    .map((part) => encodeURIComponent(part))
    .join('/')}`

export const SubjectLink = ({ at: key, children }: { at: string; children: string }) => (
  <a href={subjectPath(key)}>{children}</a>
)

/** "99.97 %"; only what is whole is called so. */
export const percentOf = (share: number): string =>
  `${(Math.floor(share * 10_000) / 100).toFixed(share === 1 ? 0 : 2)}\u00a0%`
