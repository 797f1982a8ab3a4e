/** Which instances and policies a command is about: parameters that several commands have. */
import type { Parameter, Values } from './command.ts'

export const INSTANCE: Parameter = {
  name: 'instance',
  kind: 'instance',
  description: 'One instance: web1, default/web1 or main/default/web1',
  required: true,
}

export const SNAPSHOT: Parameter = {
  name: 'snapshot',
  kind: 'snapshot',
  description: 'One of its snapshots, by name',
  required: true,
}

export const INSTANCES: Parameter = {
  name: 'instances',
  kind: 'instances',
  description: 'Instances or globs: web1, main/default/web1, db*',
  required: false,
}

export const POLICY: Parameter = {
  name: 'policy',
  kind: 'policy',
  description: 'Only what this policy covers',
  required: false,
  flag: true,
}

/** Of commands that remove snapshots. */
export const NAMED: Parameter = {
  name: 'snapshot',
  kind: 'snapshot',
  description: 'Remove these instead of what retention no longer keeps: a name or a glob',
  required: false,
  flag: true,
}

/** Whose snapshot it is. */
export const FROM = named(
  'from',
  'Take the snapshot from this remote: the backup server, although the original has it as well',
)

/** Where a new instance is made, and from which remote's snapshot. */
export const PLACE: readonly Parameter[] = [
  FROM,
  named('remote', 'Make it on this remote instead of where the original is, or was'),
  named('project', 'In this project'),
  named('pool', 'With its root disk in this pool'),
  {
    name: 'start',
    kind: 'switch',
    description: 'Start it once it is whole; else it stays stopped',
    required: false,
    flag: true,
  },
]

function named(name: string, description: string): Parameter {
  return { name, kind: 'name', description, required: false, flag: true }
}

export const placeOf = ({ from, remote, project, pool, start }: Values) => ({
  ...{ from, remote, project, pool },
  start: start === 'yes',
})

/** Undefined where none was given: all of them. */
export const scopeOf = ({
  instances,
  policy,
}: Values): { policies: string[] | undefined; instances: string[] | undefined } => ({
  policies: policy === undefined ? undefined : [policy],
  instances: instances?.split(' '),
})

export const oneOf = ({ instance = '', snapshot = '' }: Values): { instance: string; snapshot: string } => ({
  instance,
  snapshot,
})

/** Which store, as a flag of that name. */
export const storeBy = (name: 'from' | 'in'): Parameter => ({
  name,
  kind: 'text',
  description: 'The store, by its name in the relay’s configuration',
  required: true,
  flag: true,
})

const LISTED = 'Its name, as "exports" lists it'

const EXPORT: Parameter = { name: 'export', kind: 'text', description: LISTED, required: true, flag: true }

/** One of a store, or the newest one. */
export const EXPORT_OR_NEWEST: Parameter = {
  ...EXPORT,
  description: `${LISTED}; absent: the newest one`,
  required: false,
}

/** One export file, also of an instance that is gone. */
export const ONE_EXPORT: readonly Parameter[] = [
  { ...INSTANCE, description: 'Whose export it is; of one that is gone: main/default/web1' },
  storeBy('from'),
  EXPORT,
]

export const oneExport = ({ instance = '', from = '', export: name = '' }: Values) => ({
  ...{ instance, from },
  export: name,
})
