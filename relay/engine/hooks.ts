/**
 * Hooks: commands that the relay runs in an instance before and after a group's snapshots are taken. Which ones, and where, stands in its
 * configuration alone; whoever calls it names one, and can't send any.
 */
import { type InstanceRef, subjectKey } from '../../shared/incus/subject.ts'
import { compileGlobs } from '../../shared/policy/glob.ts'

/** `instances`: globs over `remote/project/instance`. `timeout`: seconds that each of the two may take. */
export type Hook = {
  instances: readonly string[]
  before: readonly string[]
  after: readonly string[]
  timeout: number
}

export type Hooks = {
  /** By name: for which instances. */
  names: Readonly<Record<string, readonly string[]>>
  /** Null: there is none of that name for that instance. */
  of(name: string, ref: InstanceRef): Hook | null
  /** What a command has written, where only the relay's administrator reads it. */
  keep(line: string): void
  /** One more try of the command after has failed, of that pause: how many by now. */
  failed(pause: string): number
  /** The command after was run while the one before still ran. */
  noteBeside(pause: string): void
  ranBeside(pause: string): boolean
  over(pause: string): void
}

export function createHooks(
  hooks: Readonly<Record<string, Hook>> = {},
  keep: (line: string) => void = () => {},
): Hooks {
  const known = new Map(
    Object.entries(hooks).map(([name, hook]) => [name, { hook, isFor: compileGlobs(hook.instances) }]),
  )
  const failures = new Map<string, number>()
  const beside = new Set<string>()
  return {
    names: Object.fromEntries(Object.entries(hooks).map(([name, { instances }]) => [name, instances])),
    of(name, ref) {
      const found = known.get(name)
      return found?.isFor(subjectKey(ref)) === true ? found.hook : null
    },
    keep,
    failed(pause) {
      const count = (failures.get(pause) ?? 0) + 1
      failures.set(pause, count)
      return count
    },
    noteBeside: (pause) => void beside.add(pause),
    ranBeside: (pause) => beside.has(pause),
    over(pause) {
      failures.delete(pause)
      beside.delete(pause)
    },
  }
}
