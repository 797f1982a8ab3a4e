/** How full pools and stores are, and on which day their space ends if it goes on so. */
import { sizeOf } from '../chat/age.ts'
import type { SpaceExam } from '../relay/exam.ts'
import type { RelayFacts } from './examined.ts'
import { critical, type Finding, info, unknown, warning } from './finding.ts'

const DAY = 86_400
/** Shares that are used. */
const FULL = 0.95
const NARROW = 0.85
/** Days until its end. */
const URGENT = 7
const SOON = 30
const FAR = 3650

export function aboutSpace({ remotes, stores }: RelayFacts, now: Date): Finding[] {
  const pools = Object.entries(remotes).flatMap(([remote, exam]) => {
    if (!exam.ok)
      return [
        unknown(
          'space-unknown',
          remote,
          `how full the pools of ${remote} are could not be read`,
          'have it answer first',
        ),
      ]
    return Object.entries(exam.pools).flatMap(([pool, space]) =>
      spaceFindings(`${remote}/${pool}`, `pool "${pool}" of ${remote}`, space, now),
    )
  })
  return [
    ...pools,
    ...Object.entries(stores).flatMap(([store, { type, space, problem, unfinished }]) => [
      ...(type === 'directory' ? spaceFindings(store, `store "${store}"`, space, now, problem) : []),
      ...(unfinished.length === 0
        ? []
        : [
            warning(
              'store-left',
              store,
              `exports that were broken off have left ${unfinished.length} files in "${store}": ${unfinished.slice(0, 3).join(', ')}`,
              'the relay removes them by itself, each hour and at its start; its log says why it could not',
            ),
          ]),
    ]),
  ]
}

const FREE = 'enlarge it, delete what nobody needs there, or keep less ("keep", "expiry")'

function spaceFindings(
  about: string,
  what: string,
  space: SpaceExam | null,
  now: Date,
  problem?: string,
): Finding[] {
  if (space === null)
    return [
      unknown(
        'space-unknown',
        about,
        `how full ${what} is could not be read${problem === undefined ? '' : `: ${problem}`}`,
        'let the relay see it: a scriptlet of an earlier version refuses it, so print and set it again; or look there yourself',
      ),
    ]
  const share = space.used / space.total
  const used = `${Math.floor(share * 100)} % of ${sizeOf(space.total)} in ${what} is used`
  const low = share >= FULL ? critical : share >= NARROW ? warning : null
  return [
    ...(low === null ? [] : [low('space-low', about, used, FREE)]),
    ...endFindings(about, used, space, now),
  ]
}

/** By how it grew from the first to the last that was noted. */
function endFindings(about: string, used: string, space: SpaceExam, now: Date): Finding[] {
  const [first] = space.samples
  const at = now.getTime() / 1000
  if (first === undefined || at - first[0] < DAY)
    return [
      info(
        'space-ends',
        about,
        `${used}; on which day it ends is known once the relay has seen it for a day`,
        'ask again tomorrow',
      ),
    ]
  const perSecond = (space.used - first[1]) / (at - first[0])
  if (perSecond <= 0) return [info('space-ends', about, `${used}, and it isn't growing`, 'nothing')]
  const days = Math.floor((space.total - space.used) / perSecond / DAY)
  if (days > FAR) return [info('space-ends', about, `${used}, and it hardly grows`, 'nothing')]
  const day = new Date(now.getTime() + days * DAY * 1000).toISOString().slice(0, 10)
  const tell = days <= URGENT ? critical : days <= SOON ? warning : info
  return [
    tell('space-ends', about, `${used}; if it goes on so, the space ends on ${day}, in ${days} days`, FREE),
  ]
}
