/** A promise in words: what holds, why not, and what is still safe. */
import type { Promised } from './judge.ts'

/** What is promised. */
export const WHAT = { snapshot: 'snapshot', copy: 'verified copy', export: 'export' } as const

/** Where it is, before a name. */
const AT = { snapshot: '', copy: ' on ', export: ' in ' } as const

/** A place of its own, as ` on backup/default/web`. */
export const placeText = ({ kind, target }: Pick<Promised, 'kind' | 'target'>): string =>
  target === null ? '' : `${AT[kind]}${target}`

export const isBroken = ({ state }: Promised): boolean => state === 'broken' || state === 'unknown'

/** Of one that isn't kept; a reason that was `said` already isn't said again. */
export function brokenText(promised: Promised, said: readonly string[] = []): string {
  const { newest, reason } = promised
  const isSaid = reason !== null && said.some((text) => text.includes(reason))
  const why = isSaid ? '' : `: ${reason ?? 'no reason is known'}`
  const safe = newest === null ? '' : `. The newest one is ${newest.snapshot}, of ${newest.at}`
  return `${whatIs(promised)}${why}${safe}`
}

function whatIs({ kind, policy, subject, target, state, newest, gone, since }: Promised): string {
  const what = `${WHAT[kind]}${placeText({ kind, target })}`
  const young = `as young as ${policy} promises, since ${since}`
  if (state === 'unknown') return `it is not known whether ${subject} has a ${what} ${young}`
  if (gone === true) return `${subject} has no ${what} of ${policy} any more, as was seen at ${since}`
  return newest === null
    ? `${subject} has no ${what} of ${policy} yet, which was promised by ${since}`
    : `${subject} has no ${what} ${young}`
}

/** Of one that has to come yet, or again since the policy promises more than it did. */
export const pendingText = ({ kind, policy, subject, target, newest, until }: Promised): string => {
  const what = `${WHAT[kind]}${placeText({ kind, target })}`
  return newest === null
    ? `${subject} has no ${what} of ${policy} yet; the first one is promised by ${until}`
    : `${subject} has no ${what} yet since ${policy} was changed or resumed; the next one is promised by ${until}. The newest one is ${newest.snapshot}, of ${newest.at}`
}
