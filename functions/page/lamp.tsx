/** A promise as a lamp: a shape, a word and an age, so that nobody depends on the colour. */
import type { Promised, PromiseState } from '../../shared/promise/judge.ts'
import type { Tone } from '../../shared/promise/verdict.ts'
import { Ago } from './text.tsx'

const LOOKS: Record<PromiseState, { sign: string; word: string }> = {
  kept: { sign: '✓', word: 'kept' },
  pending: { sign: '…', word: 'to come' },
  broken: { sign: '✕', word: 'not kept' },
  unknown: { sign: '?', word: 'unknown' },
}

export const Lamp = ({ promised, now }: { promised: Promised; now: Date }) => {
  const { sign, word } = LOOKS[promised.state]
  return (
    <span class={`lamp ${promised.state}`}>
      <span class="sign" aria-hidden="true">
        {sign}
      </span>
      <span>
        <strong>{word}</strong> {promised.policy}
        <span class="age">
          {promised.newest === null ? (
            'none yet'
          ) : (
            <>
              newest <Ago at={promised.newest.at} now={now} />
            </>
          )}
        </span>
      </span>
    </span>
  )
}

/** One that no policy covers. */
export const NoLamp = ({ text }: { text: string }) => (
  <span class="lamp broken">
    <span class="sign" aria-hidden="true">
      ✕
    </span>
    <span>
      <strong>{text}</strong>
    </span>
  </span>
)

export const TONES: Record<Tone, { sign: string; word: string }> = {
  good: { sign: '✓', word: 'Everything is protected' },
  warning: { sign: '!', word: 'Something needs a look' },
  bad: { sign: '✕', word: 'Not everything is protected' },
}
