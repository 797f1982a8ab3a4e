/** What the drivers of pools mean for instances there: who stands still, and what can be restored in place. */
import { own } from '../own.ts'
import { freezesAt } from '../plan/freezing.ts'
import { restoresOn } from '../plan/restoring.ts'
import type { Examined } from './examined.ts'
import { type Finding, info, unknown, warning } from './finding.ts'

export function aboutPools({ remotes, coverages }: Examined): Finding[] {
  const covered = coverages.flatMap((one) => one.covered)
  return Object.entries(remotes).flatMap(([remote, reply]): Finding[] => {
    if (!reply.ok)
      return [
        unknown('pool-unknown', remote, `the pools of ${remote} could not be read`, 'have it answer first'),
      ]
    const { pools, thick = [] } = reply.inventory
    const mine = covered.filter(({ ref, record }) => ref.remote === remote && record.pool !== '')
    const names = [...new Set(mine.map(({ record }) => record.pool))]
    return names.flatMap((pool): Finding[] => {
      const about = `${remote}/${pool}`
      const driver = own(pools, pool)
      if (driver === undefined)
        return [
          unknown(
            'pool-unknown',
            about,
            `the driver of pool "${pool}" on ${remote} can't be read, so it isn't known whether instances there are frozen, and nothing there is restored in place`,
            'let the relay’s certificate see the pool',
          ),
        ]
      return [...frozen(about, driver), ...restored(about, driver, thick.includes(pool))]
    })
  })
}

function frozen(about: string, driver: string): Finding[] {
  const how = freezesAt(driver)
  return how === null
    ? []
    : [
        info(
          'pool-freezes',
          about,
          `on ${driver} a running instance is frozen ${how}, and for the whole of a copy unless its policy allows an inconsistent one`,
          'btrfs and zfs don’t freeze; "copy.allow": "inconsistent" frees copies, and a schedule at night the rest',
        ),
      ]
}

function restored(about: string, driver: string, isThick: boolean): Finding[] {
  const how = restoresOn(driver, isThick)
  const cure = '/backup clone makes a new instance of any snapshot there, by which nothing is lost'
  if (how === 'any') return []
  return [
    how === 'newest'
      ? warning(
          'pool-restores',
          about,
          `${driver} restores only the newest snapshot in place, so stapes restores none there`,
          cure,
        )
      : how === 'none'
        ? warning(
            'pool-restores',
            about,
            'lvm without a thin pool fails to restore in place, so stapes restores nothing there',
            cure,
          )
        : unknown(
            'pool-restores',
            about,
            `it isn't known what a restore in place does on ${driver}, so stapes makes none there`,
            cure,
          ),
  ]
}
