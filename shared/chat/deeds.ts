/** What a plan's lines do, counted in a few words. */
import type { Line } from '../plan/render.ts'
import { count, enumerate } from './words.ts'

type Deed = { sign: Line['sign']; will: string; did: string; one: string; several?: string }

const DEEDS: readonly Deed[] = [
  { sign: '<', will: 'restores', did: 'began to restore', one: 'instance' },
  { sign: '+', will: 'takes', did: 'took', one: 'snapshot' },
  { sign: '-', will: 'expires', did: 'expired', one: 'snapshot' },
  { sign: '#', will: 'changes', did: 'changed', one: 'hold' },
  { sign: '>', will: 'starts', did: 'started', one: 'copy', several: 'copies' },
  { sign: '✓', will: 'verifies', did: 'verified', one: 'copy', several: 'copies' },
  { sign: '^', will: 'starts', did: 'started', one: 'instance' },
]

/** "takes 3 snapshots and starts 1 copy"; empty where the lines change nothing that is counted. */
export const deedsOf = (lines: readonly Pick<Line, 'sign'>[], tense: 'will' | 'did'): string =>
  enumerate(
    DEEDS.flatMap((deed) => {
      const many = lines.filter(({ sign }) => sign === deed.sign).length
      return many === 0 ? [] : [`${deed[tense]} ${count(many, deed.one, deed.several)}`]
    }),
  )
