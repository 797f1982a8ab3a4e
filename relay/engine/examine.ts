/** What the doctor asks of servers beside the inventory: clocks, space, profiles, networks, rights, and ways between them. */
import { randomBytes } from 'node:crypto'
import { request } from '../../shared/incus/routes.ts'
import { own } from '../../shared/own.ts'
import type { EngineExam, ExamRequest, ProjectExam, RemoteExam } from '../../shared/relay/exam.ts'
import type { CallError } from '../../shared/relay/protocol.ts'
import { safeText } from '../../shared/safe-text.ts'
import { badReply, brokenBy, call } from './call.ts'
import { type CallIo, unknownRemote } from './call-list.ts'
import { eachOf } from './each.ts'
import { isObject, text } from './envelope.ts'
import { skewOf } from './inventory.ts'
import { spaceOf } from './space.ts'
import { tryForbidden } from './trials.ts'
import { tryWay } from './ways.ts'

/** Calls at once, of each remote. */
const AT_ONCE = 4
/** Milliseconds for each. */
const TIMEOUT = 20_000

/** Whatever is wrong with one remote's answers makes that remote unknown, and nothing else. */
export async function examine({ remotes, ways }: ExamRequest, io: CallIo): Promise<EngineExam> {
  const [seen, tried] = await Promise.all([
    Promise.all(
      Object.entries(remotes).map(async ([remote, wanted]) => {
        const exam = await examineRemote(remote, wanted, io).catch((cause: unknown) =>
          failed(brokenBy(cause)),
        )
        return [remote, exam] as const
      }),
    ),
    Promise.all(ways.map((way) => tryWay(way, io).catch((cause: unknown) => untried(way, cause)))),
  ])
  return { remotes: Object.fromEntries(seen), ways: tried }
}

const failed = (error: CallError): RemoteExam => ({ ok: false, error })

const untried = (way: ExamRequest['ways'][number], cause: unknown): EngineExam['ways'][number] => ({
  ...way,
  state: 'unknown',
  reason: safeText(String(cause), 200),
})

async function examineRemote(
  remote: string,
  { pools, projects }: ExamRequest['remotes'][string],
  io: CallIo,
): Promise<RemoteExam> {
  const { upstream, clock, remotes } = io
  if (!Object.hasOwn(remotes, remote)) return failed(unknownRemote(remote, remotes))
  const sentAt = clock.now()
  const greeting = await call(upstream, remote, request('getServer'), TIMEOUT)
  if (!greeting.ok) return failed(greeting.error)
  const { date, status, envelope } = greeting.value
  if (!isObject(envelope.metadata)) return failed(badReply(remote, status, 'it names no server'))
  const skew = date === undefined ? null : skewOf(date, sentAt, clock.now())
  const space: [string, Awaited<ReturnType<typeof spaceOf>>][] = []
  await eachOf(pools, AT_ONCE, async (pool) => void space.push([pool, await spaceOf(remote, pool, upstream)]))
  const uses = await readUses(remote, projects, io)
  const exams: [string, ProjectExam][] = []
  await eachOf(projects, AT_ONCE, async (project) => {
    const exam = await examineProject(remote, project, io)
    exams.push([project, { ...exam, uses: uses === null ? null : (own(uses, project) ?? NO_USES) }])
  })
  return {
    ok: true,
    skew,
    pools: Object.fromEntries(
      space.map(([pool, seen]) => [pool, seen === null ? null : { ...seen, samples: [] }]),
    ),
    projects: Object.fromEntries(exams),
  }
}

async function examineProject(
  remote: string,
  project: string,
  io: CallIo,
): Promise<Omit<ProjectExam, 'uses'>> {
  // No instance has this name.
  const nobody = `stapes-doctor-${randomBytes(6).toString('hex')}`
  const [profiles, networks, rights] = await Promise.all([
    namesOf(remote, 'listProfiles', project, io),
    namesOf(remote, 'listNetworks', project, io),
    tryForbidden({ upstream: io.upstream, remote, project }, nobody),
  ])
  return { profiles, networks, rights }
}

/** Null: they can't be listed. */
async function namesOf(
  remote: string,
  route: 'listProfiles' | 'listNetworks',
  project: string,
  { upstream }: CallIo,
): Promise<string[] | null> {
  const listed = await call(upstream, remote, request(route, {}, { project, recursion: '1' }), TIMEOUT)
  const rows = listed.ok ? listed.value.envelope.metadata : null
  // What a certificate may not see is left out of lists, so an empty one says nothing.
  if (!Array.isArray(rows) || rows.length === 0) return null
  return rows.slice(0, MOST).flatMap((row) => (isObject(row) ? [named(row.name)] : []))
}

/** Characters of a name, and names of a list. */
const LONGEST = 200
const MOST = 1_000
/** Instances that are named for each. */
const NAMED = 200

const named = (value: unknown): string => safeText(text(value), LONGEST)

type Uses = NonNullable<ProjectExam['uses']>
const NO_USES: Uses = { profiles: {}, networks: {} }

/** By project. */
async function readUses(
  remote: string,
  projects: readonly string[],
  { upstream }: CallIo,
): Promise<Record<string, Uses> | null> {
  if (projects.length === 0) return {}
  const all = request('listInstances', {}, { recursion: '1', 'all-projects': 'true' })
  const listed = await call(upstream, remote, all)
  const rows = listed.ok ? listed.value.envelope.metadata : null
  if (!Array.isArray(rows)) return null
  const found = new Map(projects.map((project) => [project, { profiles: new Map(), networks: new Map() }]))
  for (const row of rows) {
    const mine = isObject(row) ? found.get(text(row.project)) : undefined
    if (!isObject(row) || mine === undefined) continue
    const name = named(row.name)
    for (const profile of Array.isArray(row.profiles) ? row.profiles : [])
      note(mine.profiles, named(profile), name)
    const devices = isObject(row.expanded_devices) ? Object.values(row.expanded_devices) : []
    for (const device of devices)
      if (isObject(device) && text(device.type) === 'nic' && text(device.network) !== '')
        note(mine.networks, named(device.network), name)
  }
  return Object.fromEntries(
    [...found].map(([project, { profiles, networks }]) => [
      project,
      { profiles: Object.fromEntries(profiles), networks: Object.fromEntries(networks) },
    ]),
  )
}

function note(of: Map<string, string[]>, what: string, instance: string): void {
  const users = of.get(what) ?? []
  if (users.length < NAMED && of.size < MOST) of.set(what, [...users, instance])
}
