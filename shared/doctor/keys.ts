/** Every `user.stapes.*` key on every instance: those that say nothing, and marks where they don't belong. */
import { subjectKey } from '../incus/subject.ts'
import { REPLICA_OF } from '../policy/marks.ts'
import { leftOverWarning, misplacedProblem, promotedWarnings } from '../policy/misplaced.ts'
import { readOverrides } from '../policy/overrides.ts'
import { configCommand, shellWord } from '../shell.ts'
import type { Examined } from './examined.ts'
import { type Finding, unknown, warning } from './finding.ts'
import { curedIn } from './split.ts'

export function aboutKeys({ remotes, config }: Examined): Finding[] {
  const policies = config?.policies ?? []
  const sources = new Set(policies.flatMap(({ select }) => select.remotes))
  const each = Object.entries(remotes).flatMap(([remote, reply]): Finding[] => {
    if (!reply.ok)
      return [
        unknown(
          'keys-unread',
          remote,
          `the keys of instances on ${remote} could not be read`,
          'have it answer first',
        ),
      ]
    return reply.inventory.instances.flatMap((record): Finding[] => {
      const place = { remote, project: record.project, instance: record.name }
      const key = subjectKey(place)
      if (record.offline === true)
        return [
          unknown(
            'keys-unread',
            key,
            `the keys of ${key} could not be read: ${record.problem ?? 'its member gives no answer'}`,
            'have it answer first',
          ),
        ]
      const overrides = readOverrides(place, record, policies)?.problems ?? []
      const misplaced = sources.has(remote) ? misplacedProblem(place, record, policies) : null
      const left = leftOverWarning(place, record)
      return [
        ...overrides.map(({ path, message }) => {
          const name = path.split(' ')[1] ?? ''
          const where = record.own.includes(name)
            ? `on ${remote}: ${configCommand(place, 'unset', shellWord(name))}`
            : `remove ${name} from its profile`
          return warning('key-unknown', key, message, `correct it, or ${where}`)
        }),
        ...(misplaced === null ? [] : [about('key-misplaced', key, misplaced.reason)]),
        ...(left === null ? [] : [about('key-left', key, left.reason)]),
        ...(record.unsealed === true
          ? [
              warning(
                'key-unsealed',
                key,
                `a mark of a restore on ${key} was not made by this relay, so nothing goes by it`,
                'it came with a copy by hand, or with another key of the relay: unset the user.stapes.restoring keys there once you know which data it has',
              ),
            ]
          : []),
      ]
    })
  })
  const told = new Set(each.map((one) => one.about ?? ''))
  const promoted = promotedWarnings(policies, remotes, told)
  return [...each, ...promoted.map(({ about: key, reason }) => about('key-misplaced', key, reason))]
}

/** A reason that tells what to do as well. */
function about(code: 'key-misplaced' | 'key-left', key: string, reason: string): Finding {
  const [what, cure] = curedIn(reason)
  return warning(code, key, `${key}: ${what}`, cure)
}

/** Whether it counts as a copy by its own mark. */
export const isMarked = ({ own }: { own: readonly string[] }): boolean => own.includes(REPLICA_OF)
