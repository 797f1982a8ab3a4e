/** What the relay's certificate may do on a server though it needs it for nothing, as it was tried. */
import { enumerate } from '../chat/words.ts'
import { own } from '../own.ts'
import type { ProjectExam } from '../relay/exam.ts'
import type { RelayFacts } from './examined.ts'
import { type Finding, info, unknown, warning } from './finding.ts'

const PRINTED = 'docs/operations.md, "What the relay may do on a server"'

export const aboutRights = ({ remotes }: RelayFacts): Finding[] =>
  Object.entries(remotes).flatMap(([remote, exam]): Finding[] => {
    if (!exam.ok)
      return [
        unknown(
          'rights-unknown',
          remote,
          `what the relay may do on ${remote} could not be tried`,
          'have it answer first',
        ),
      ]
    const projects = Object.entries(exam.projects)
    return projects.some(([, { rights }]) => rights.server === true)
      ? [
          warning(
            'rights-wide',
            remote,
            `the relay's certificate may do everything on ${remote}: it isn't restricted to projects, so whoever steals it has the whole server`,
            `restrict it on that server (incus config trust edit), or print a scriptlet: ${PRINTED}`,
          ),
        ]
      : projects.flatMap(([project, { rights }]) => within(remote, project, rights))
  })

const NAMES: readonly (keyof ProjectExam['rights'])[] = ['files', 'console', 'profiles']

function within(remote: string, project: string, rights: ProjectExam['rights']): Finding[] {
  const about = `${remote}/${project}`
  const allowed = NAMES.filter((right) => own(rights, right) === true)
  const untried = [...NAMES, 'server' as const].filter((right) => own(rights, right) === null)
  return [
    ...(allowed.length === 0
      ? []
      : [
          info(
            'rights-scriptlet',
            about,
            `in ${project} on ${remote} the relay may use ${enumerate(allowed)} of instances, which it never does: no scriptlet forbids it`,
            `print one and set it: ${PRINTED}`,
          ),
        ]),
    ...(untried.length === 0
      ? []
      : [
          unknown(
            'rights-unknown',
            about,
            `whether the relay may use ${enumerate(untried)} in ${project} on ${remote} isn't known: the server's answer doesn't tell`,
            `npm run trust -- ${remote} --check asks for more`,
          ),
        ]),
  ]
}
