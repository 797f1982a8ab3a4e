/** What each kind of parameter accepts, and how that is described. */
import { parsePath } from '../incus/file-path.ts'
import { POLICY_NAME } from '../incus/snapshot-name.ts'
import { nearest } from '../policy/nearest.ts'
import { err, ok, type Result } from '../result.ts'
import { parseDuration } from '../schedule/duration.ts'
import type { Command, Parameter } from './command.ts'
import { plainDashes } from './flag.ts'
import { show } from './mistake.ts'

type Kind = Parameter['kind']

export const EXPECTED: Record<Kind, string> = {
  instance: 'one instance such as web1, default/web1 or main/default/web1 (no * or ?)',
  instances: 'instances such as web1 or main/default/web1, or globs such as db*',
  snapshot: 'the name of a snapshot such as daily-20261122T0300Z',
  name: 'a name such as web1-old, without spaces or slashes',
  path: 'a path such as /etc/hosts, without . and ..',
  policy: 'the name of a policy such as daily, in lower case',
  duration: 'a duration such as 15m, 2h or 1d12h',
  count: 'a number from 1 to 1000 such as 20',
  switch: 'yes or no',
  command: 'the name of a command such as restore',
  line: 'a command such as now web1',
  text: 'a few words, at most 300 characters',
}

const REMOTE = '[A-Za-z0-9][A-Za-z0-9._-]*'
const PROJECT = '[^\\s/*?]+'
/** Of a custom volume: its pool, and its name. */
const VOLUME = '[^\\s/:*?]+:[\\w.@=:+-]+'
const INSTANCE = new RegExp(`^(?:(?:${REMOTE}/)?${PROJECT}/)?(?:[A-Za-z0-9-]+|${VOLUME})$`)
const GLOB = /^(?:(?:[A-Za-z0-9*?._-]+\/)?[^\s/]+\/)?(?:[A-Za-z0-9*?-]+|[^\s/:]+:[\w.@=:+*?-]+)$/
const SNAPSHOT = /^[^\s/]+$/
const NAME = /^[^\s/*?]{1,100}$/
const SWITCH = /^(?:yes|no|true|false)$/i
const COUNT = /^(?:[1-9]\d{0,2}|1000)$/

/** The normalized value, or what was expected instead. */
export function checkValue(
  { kind }: Parameter,
  given: readonly string[],
  commands: readonly Command[],
): Result<string, string> {
  const text = given.join(' ')
  const plain = plainDashes(text)
  const when = (sound: boolean, value: string) =>
    sound ? ok(value) : err(`expected ${EXPECTED[kind]}, got ${show(text)}`)
  switch (kind) {
    case 'instance':
      return when(INSTANCE.test(plain), plain)
    case 'instances': {
      const globs = given.map(plainDashes)
      const wrong = globs.find((glob) => !GLOB.test(glob))
      return wrong === undefined ? ok(globs.join(' ')) : err(`expected ${EXPECTED[kind]}, got ${show(wrong)}`)
    }
    case 'snapshot':
      return when(SNAPSHOT.test(text), text)
    case 'name':
      return when(NAME.test(plain), plain)
    case 'path': {
      const path = parsePath(text)
      return when(path.ok, path.ok ? path.value : '')
    }
    case 'policy':
      return when(POLICY_NAME.test(plain), plain)
    case 'duration': {
      const seconds = parseDuration(plain)
      return when(seconds.ok && seconds.value > 0, plain)
    }
    case 'count':
      return when(COUNT.test(text), text)
    case 'switch':
      return when(SWITCH.test(text), /^[yt]/i.test(text) ? 'yes' : 'no')
    case 'command':
      return commandNamed(text, commands)
    case 'line':
      return ok(text)
    case 'text':
      return when(text.length <= 300, text)
  }
}

function commandNamed(given: string, commands: readonly Command[]): Result<string, string> {
  const found = findCommand(given, commands)
  return found === null ? err(unknownCommand(given, commands)) : ok(found.name)
}

/** Phones begin with a capital letter. */
export const findCommand = (given: string, commands: readonly Command[]): Command | null =>
  commands.find(({ name }) => name === plainDashes(given).toLowerCase()) ?? null

export function unknownCommand(given: string, commands: readonly Command[]): string {
  const near = nearest(
    given,
    commands.map(({ name }) => name),
  )
  return `there is no command ${show(given)}; ${near === null ? '/backup help lists what there is' : `did you mean ${near}?`}`
}
