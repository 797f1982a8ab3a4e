/** What a plan's lines do, counted in a few words. */
import type { Deed, Line } from '../plan/line.ts'
import { KINDS } from '../work/kinds.ts'
import { count, enumerate } from './words.ts'

const DEEDS: readonly Deed[] = KINDS.flatMap(({ deeds = [] }) => deeds)

/** "takes 3 snapshots and starts 1 copy"; empty where the lines change nothing that is counted. */
export const deedsOf = (lines: readonly Pick<Line, 'sign'>[], tense: 'will' | 'did'): string =>
  enumerate(
    DEEDS.flatMap((deed) => {
      const many = lines.filter(({ sign }) => sign === deed.sign).length
      return many === 0 ? [] : [`${deed[tense]} ${count(many, deed.one, deed.several)}`]
    }),
  )
