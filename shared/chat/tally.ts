/** Counts what a plan's lines do, in a few words. */
import type { Line, Tally } from '../plan/line.ts'
import { KINDS } from '../work/kinds.ts'
import { count, enumerate } from './words.ts'

const TALLIES: readonly Tally[] = KINDS.flatMap(({ tallies = [] }) => tallies)

/** "takes 3 snapshots and starts 1 copy"; empty where the lines change nothing that is counted. */
export const tallyOf = (lines: readonly Pick<Line, 'sign' | 'counts'>[], tense: 'will' | 'did'): string =>
  enumerate(
    TALLIES.flatMap((tally) => {
      const many = lines.filter(({ sign, counts }) => sign === tally.sign && counts === tally.name).length
      return many === 0 ? [] : [`${tally[tense]} ${count(many, tally.one, tally.several)}`]
    }),
  )
