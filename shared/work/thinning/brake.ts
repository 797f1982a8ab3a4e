/** Holds back the removal of too many of an instance's exports at once, or under a clock that can't be right. */

import { own } from '../../own.ts'
import { brakeOf, namesIn, wrongClock } from '../../plan/brake-expiry.ts'
import type { PlanInput } from '../../plan/context.ts'
import { tooMuch } from '../../retention/brake.ts'
import type { Wanted } from '../export/due.ts'
import { brakeKey } from './due.ts'
import type { SortedExports } from './sort.ts'

/** Null: nothing holds it back. What was to be removed before, and could not be yet, isn't counted again. */
export function brakeExports(
  one: Wanted,
  { going, counted }: SortedExports,
  clocks: Pick<PlanInput, 'world' | 'ledger' | 'now'>,
): string | null {
  const { covered, policy, fact, export: wish } = one
  const brake = brakeOf(covered.policy)
  if (brake === null || going.length === 0) return null
  const before = new Set([
    ...namesIn(fact.exportGoing),
    ...namesIn(own(clocks.ledger.sight?.allowed, brakeKey(one))),
  ])
  const more = going.filter(({ name }) => !before.has(name))
  if (more.length === 0) return null
  const removal = {
    ...{ snapshots: counted, called: 'exports', owed: going.length - more.length },
    going: new Set(going.map(({ name }) => name)),
  }
  const why = wrongClock(covered.ref.remote, clocks) ?? tooMuch(brake, removal)
  return why === null
    ? null
    : `${why}: no export of policy ${policy} goes from ${wish.to} of ${covered.key} until somebody confirms it. Was the policy changed, or the clock? If they may go: /backup allow ${covered.key} --policy=${policy}`
}
