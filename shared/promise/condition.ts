/** One thing that is wrong or needs a look, what it is about, and to whom it may be shown. */
import { keysIn, parseSubject } from '../incus/subject.ts'

/**
 * `critical`: something isn't backed up, or may not be. `warning`: it needs a look. `info`: for the record.
 */
export const SEVERITIES = ['critical', 'warning', 'info'] as const
export type Severity = (typeof SEVERITIES)[number]

export type Condition = {
  /** The same trouble has the same id at each look. */
  id: string
  severity: Severity
  /** What `about` names. */
  kind: 'all' | 'remote' | 'policy' | 'instance'
  /** A remote, a policy, or the key of an instance; null: all. */
  about: string | null
  /** Instances that the text names, or whose reason it has, otherwise than by their keys. */
  keys?: string[]
  /** All instances that it is about, where each one more is news. */
  each?: string[]
  /** What is wrong, and what to do. */
  text: string
  /** The part of it that others may say too. */
  reason?: string
  /** Of a remote without an answer: the error's code; `relay`: nobody could ask it. */
  code?: string
  /** ISO 8601; null: that isn't known. */
  since: string | null
}

export type About = Pick<Condition, 'kind' | 'about'>

export const ALL: About = { kind: 'all', about: null }
export const ofRemote = (about: string): About => ({ kind: 'remote', about })
export const ofPolicy = (about: string): About => ({ kind: 'policy', about })
export const ofInstance = (about: string): About => ({ kind: 'instance', about })

type More = Partial<Omit<Condition, keyof About>>

export const critical = (id: string, text: string, about: About = ALL, more: More = {}): Condition => ({
  ...{ id, severity: 'critical', text, since: null },
  ...about,
  ...more,
})

export const warning = (id: string, text: string, about: About = ALL, more: More = {}): Condition =>
  critical(id, text, about, { severity: 'warning', ...more })

/** What a text of a look begins with: an instance, or a policy; else a place, which is nothing in particular. */
export function aboutOf(text: string): About {
  const [, begin = ''] = /^(.+?): /.exec(text) ?? []
  const policy = /^policy (\S+)$/.exec(begin)?.[1]
  if (policy !== undefined) return ofPolicy(policy)
  return parseSubject(begin) === null ? ALL : ofInstance(begin)
}

/**
 * As somebody may be shown it, who may not see everything; null: not at all. An error may name paths that look like
 * instances, so of an instance that may be seen at least that there is something is said. So it is where it is one of
 * many, and of the copy of one: `sourceOf` gives the instance whose copy it is, if that may be seen.
 */
export function shownTo(
  condition: Condition,
  maySee: (key: string) => boolean,
  sourceOf: (copy: string) => string | undefined = () => undefined,
): Condition | null {
  const { kind, about, keys = [], each = [], text } = condition
  if (kind === 'instance' && (about === null || !maySee(about))) {
    const source = sourceOf(about ?? '')
    return source === undefined ? null : hidden(condition, source, `the copy of ${source}`)
  }
  if ([...keys, ...keysIn(text)].every(maySee)) return condition
  if (kind === 'instance' && about !== null) return hidden(condition, about, about)
  // Of many, those that may be seen.
  const [first, ...more] = each.filter(maySee)
  return first === undefined ? null : hidden(condition, first, [first, ...more.slice(0, NAMED)].join(', '))
}

/** Of many that may be seen, so many are named beside the first. */
const NAMED = 4

/** `what` has it. */
const hidden = ({ id, severity, since }: Condition, about: string, what: string): Condition => ({
  ...{ id: `hidden ${id.split(' ', 1)[0]} ${what}`, severity, kind: 'instance', about, since },
  text: `${what} has a problem whose ${HIDDEN}`,
})

/** The end of what is said instead of words that somebody may not see. */
export const HIDDEN = 'words name what you may not see: ask somebody who may'
