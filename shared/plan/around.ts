/**
 * Plans around what can't be planned with. A plan that throws is a bug of ours, or something that no check at
 * entry has foreseen: it makes that instance, that remote or that policy unknown, and the rest is planned.
 */
import type { InstanceRecord } from '../incus/inventory.ts'
import { subjectKey } from '../incus/subject.ts'
import { own } from '../own.ts'
import type { Config } from '../policy/policy.ts'
import type { RemoteReply } from '../relay/protocol.ts'
import { safeText } from '../safe-text.ts'
import type { Note } from './plan.ts'
import { type World, worldOf } from './world.ts'

type Input = { world: World; config: Config }

type Around<Planned> = Input & {
  planned: Planned
  notes: Note[]
  /** Policies for which nothing is planned. */
  leftOut: string[]
}

/** Throws only where nothing at all can be planned. */
export function planAround<Planned>(input: Input, plan: (input: Input) => Planned): Around<Planned> {
  try {
    return { ...input, planned: plan(input), notes: [], leftOut: [] }
  } catch (cause) {
    return narrowed(input, plan, cause)
  }
}

function narrowed<Planned>({ world, config }: Input, plan: (input: Input) => Planned, cause: unknown) {
  const works = (input: Input): boolean => {
    try {
      plan(input)
      return true
    } catch {
      return false
    }
  }
  const silent = withRemotes(world, (reply, name) => silenced(name, reply, cause))
  const policies = usable(config, (some) => works({ world: silent, config: { ...config, policies: some } }))
  const sound = { ...config, policies }
  const seen = Object.keys(world.remotes).reduce(
    (known, name) => withKnown(known, world, name, cause, (tried) => works({ world: tried, config: sound })),
    silent,
  )
  const leftOut = config.policies.filter((policy) => !policies.includes(policy)).map(({ name }) => name)
  const notes = leftOut.map(
    (name): Note => ({ kind: 'problem', about: `policy ${name}`, reason: why(cause) }),
  )
  return { world: seen, config: sound, planned: plan({ world: seen, config: sound }), notes, leftOut }
}

/** Those that can be planned together, with every remote silent. */
function usable({ policies }: Config, works: (policies: Config['policies']) => boolean): Config['policies'] {
  const good: Config['policies'] = []
  for (const policy of policies) if (works([...good, policy])) good.push(policy)
  return good
}

/** The remote with as many of its instances as can be planned with; silent if that isn't enough. */
function withKnown(
  known: World,
  world: World,
  name: string,
  cause: unknown,
  works: (world: World) => boolean,
): World {
  const reply = own(world.remotes, name)
  if (reply?.ok !== true) return known
  const only = (some: ReadonlySet<InstanceRecord>): World => {
    const instances = reply.inventory.instances.map((record) =>
      some.has(record) ? record : unknown(record, name, cause),
    )
    const inventory = { ...reply.inventory, instances }
    return withRemotes(known, (before, each) => (each === name ? { ok: true, inventory } : before))
  }
  const good = new Set<InstanceRecord>()
  let tries = 0
  const admit = (records: readonly InstanceRecord[]): void => {
    tries += 1
    if (records.length === 0 || tries > MOST_TRIES) return
    if (works(only(new Set([...good, ...records])))) for (const record of records) good.add(record)
    else if (records.length > 1) {
      const half = Math.ceil(records.length / 2)
      admit(records.slice(0, half))
      admit(records.slice(half))
    }
  }
  admit(reply.inventory.instances)
  const most = only(good)
  return works(most) ? most : known
}

/** Plans for one remote, until what is left of it stays unknown. */
const MOST_TRIES = 100

const why = (cause: unknown): string =>
  `nothing is planned for it, because stapes can't work out what to do (${safeText(String(cause), 300)}): this is a bug, please report it`

const silenced = (remote: string, reply: RemoteReply, cause: unknown): RemoteReply =>
  reply.ok ? { ok: false, error: { code: 'bad-reply', message: `${remote}: ${why(cause)}` } } : reply

/** Listed, and nothing else is known of it. */
const unknown = (record: InstanceRecord, remote: string, cause: unknown): InstanceRecord => {
  const { project, name, type, status, location } = record
  const problem = `${subjectKey({ remote, project, instance: name })}: ${why(cause)}`
  return {
    ...{ project, name, type, status, location, pool: '', config: {}, own: [], snapshots: null },
    ...{ offline: true, oversized: true, problem },
  }
}

function withRemotes(world: World, change: (reply: RemoteReply, name: string) => RemoteReply): World {
  const remotes = Object.fromEntries(
    Object.entries(world.remotes).map(([name, reply]) => [name, change(reply, name)]),
  )
  return { ...world, ...worldOf({ remotes, jobs: world.jobs }) }
}
