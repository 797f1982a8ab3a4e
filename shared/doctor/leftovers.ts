/** What stapes or Incus has left somewhere, or may have, and nobody needs. */
import { subjectKey } from '../incus/subject.ts'
import { subjectIn } from '../ledger/work.ts'
import { own } from '../own.ts'
import { REPLICA_OF, VERIFIED } from '../policy/marks.ts'
import { fitsPlace } from '../policy/misplaced.ts'
import { deleteCommand } from '../shell.ts'
import type { Examined } from './examined.ts'
import { critical, type Finding, info, unknown, warning } from './finding.ts'
import { isMarked } from './keys.ts'
import { curedIn } from './split.ts'

export const aboutLeftovers = (examined: Examined): Finding[] => [
  ...temporaries(examined),
  ...orphans(examined),
  ...setAside(examined),
]

/** Of exports and files, which the relay could not remove. */
const temporaries = ({ remotes }: Examined): Finding[] =>
  Object.entries(remotes).flatMap(([remote, reply]) =>
    reply.ok
      ? (reply.inventory.leftovers ?? []).map((text) => {
          const [what, cure] = curedIn(text)
          return warning('leftover', remote, `on ${remote}, ${what}`, cure)
        })
      : [
          unknown(
            'leftovers-unread',
            remote,
            `what work of stapes has left on ${remote} could not be looked for`,
            'have it answer first',
          ),
        ],
  )

/** Copies that no policy makes any more: nothing refreshes them, and nothing removes them. */
function orphans({ remotes, config }: Examined): Finding[] {
  const policies = config?.policies ?? []
  const sources = new Set(policies.flatMap(({ select }) => select.remotes))
  return Object.entries(remotes).flatMap(([remote, reply]) => {
    if (!reply.ok || sources.has(remote)) return []
    return reply.inventory.instances.flatMap((record) => {
      const place = { remote, project: record.project, instance: record.name }
      const of = isMarked(record) ? record.config[REPLICA_OF] : undefined
      if (of === undefined || fitsPlace(place, of, policies)) return []
      const state = record.own.includes(VERIFIED) ? 'it stays as it is' : 'nothing of it was ever verified'
      return [
        info(
          'copy-orphan',
          subjectKey(place),
          `${subjectKey(place)} is a copy of ${of} that no policy makes: ${state}`,
          `keep it as long as somebody may need it; then, on ${remote}: ${deleteCommand(place)}`,
        ),
      ]
    })
  })
}

const TEMPORARY = '.incustmp'

/** Incus moves the data aside when it begins a restore on btrfs. Killed then, it leaves them, and no further restore begins. */
function setAside({ ledger, remotes }: Examined): Finding[] {
  const seen = Object.entries(ledger?.work ?? {}).flatMap(([key, { reason = '' }]) =>
    reason.includes(TEMPORARY)
      ? [
          critical(
            'incustmp',
            subjectIn(key),
            `an interrupted restore has left data aside: ${reason}`,
            'move that subvolume out of the pool on that server, then restore again; the safety snapshot holds the same data',
          ),
        ]
      : [],
  )
  const unseen = Object.entries(remotes).flatMap(([remote, reply]) => {
    const pools = reply.ok ? reply.inventory.pools : {}
    const btrfs = Object.keys(pools).filter((pool) => own(pools, pool) === 'btrfs')
    return btrfs.map((pool) =>
      info(
        'incustmp',
        `${remote}/${pool}`,
        `whether Incus was killed in a restore on pool "${pool}" of ${remote} and left a subvolume *${TEMPORARY} can't be seen from here`,
        `on ${remote}: ls -d /var/lib/incus/storage-pools/*/containers/*${TEMPORARY}`,
      ),
    )
  })
  return [...seen, ...unseen]
}
