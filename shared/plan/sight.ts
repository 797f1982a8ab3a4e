/**
 * What was covered at the last look, so that the next one notices what is no longer listed. Incus doesn't
 * report that a project was taken off the relay's certificate, and a policy can't miss what isn't listed.
 */
import { bucketIn, instanceOf, pathOf, remoteOf, subjectKey, volumeIn } from '../incus/subject.ts'
import type { SightLedger } from '../ledger/ledger.ts'
import { own } from '../own.ts'
import { coversBuckets, exportedBy } from '../policy/buckets.ts'
import type { Coverage } from '../policy/cover.ts'
import { coversVolumes } from '../policy/volumes.ts'
import type { RemoteReply } from '../relay/protocol.ts'
import { atMost } from './brake.ts'
import type { ClockProblem } from './clocks.ts'
import type { Note, Plan } from './plan.ts'
import type { World } from './world.ts'

/** What is gone is shown for so long, so that it is noticed after a weekend. */
const KEPT_MS = 3 * 86_400_000
/** Longer where nothing of a project is left: then probably the relay's certificate has lost it. */
const KEPT_WHOLE_MS = 30 * 86_400_000
/** So many problems of a look are noted; the run's result has them all. */
const NOTED = 20

type Sight = { ledger: SightLedger; notes: Note[] }

export function rememberSight(
  before: SightLedger | undefined,
  coverages: readonly Coverage[],
  {
    clocks,
    braked,
    stalled,
    allowed,
  }: { clocks: readonly ClockProblem[] } & Pick<Plan, 'braked' | 'stalled' | 'allowed'>,
  world: World,
  now: Date,
): Sight {
  const selected = new Set(coverages.flatMap(({ policy }) => policy.select.remotes))
  const silent = new Set(
    coverages.flatMap(({ unreadable }) => unreadable.map(({ key }) => key.slice('remote:'.length))),
  )
  // While some of what it lists can't be used, what is missing may be among that.
  const isWhole = (reply: RemoteReply | undefined): boolean =>
    reply?.ok !== true || reply.inventory.unusable === undefined
  const isSilent = (key: string): boolean =>
    silent.has(remoteOf(key)) || !isWhole(own(world.remotes, remoteOf(key)))
  const isSeen = (key: string): boolean => world.find(instanceOf(key)) !== undefined
  // Where no policy covers volumes or buckets any more, none are listed.
  const volumes = coverages.some(({ policy }) => coversVolumes(policy.select))
  const buckets = coverages.some(({ policy }) => coversBuckets(policy.select))
  const isAsked = (key: string): boolean =>
    selected.has(remoteOf(key)) &&
    (volumes || volumeIn(pathOf(key)[2]) === null) &&
    (buckets || bucketIn(pathOf(key)[2]) === null)
  const known = keysOf(before?.covered ?? {}).filter(isAsked)
  const seen = coverages.flatMap((one) => exportedBy(one).map(({ ref }) => subjectKey(ref)))
  const covered = namesBy([...seen, ...known.filter(isSilent)])
  const oldestOf = (key: string): string =>
    new Date(now.getTime() - (isLeftIn(covered, key) ? KEPT_MS : KEPT_WHOLE_MS)).toISOString()
  const still = Object.entries(before?.gone ?? {}).filter(
    ([key, since]) => since > oldestOf(key) && isAsked(key) && (isSilent(key) || !isSeen(key)),
  )
  const fresh = known.filter((key) => !isSilent(key) && !isSeen(key))
  const gone = Object.fromEntries([...still, ...fresh.map((key) => [key, now.toISOString()] as const)])
  const textOf = ({ about, reason }: ClockProblem): string => `${about}: ${reason}`
  const roles = coverages.flatMap((one) => one.roles).map(textOf)
  const problems = coverages.flatMap((one) => one.problems).map(textOf)
  const warnings = [...clocks, ...coverages.flatMap((one) => one.warnings)].map(textOf)
  return {
    ledger: {
      covered,
      ...(Object.keys(gone).length === 0 ? {} : { gone }),
      // Also where there are none: an earlier version didn't look (see ahead.ts).
      roles: roles.slice(0, NOTED),
      ...(problems.length === 0 ? {} : { problems: [...new Set(problems)].slice(0, NOTED) }),
      ...(warnings.length === 0 ? {} : { warnings: [...new Set(warnings)].slice(0, NOTED) }),
      ...(Object.keys(braked).length === 0 ? {} : { braked: atMost(braked) }),
      ...(Object.keys(stalled).length === 0 ? {} : { stalled: someOf(stalled) }),
      ...(Object.keys(allowed).length === 0 ? {} : { allowed: someOf(allowed) }),
    },
    notes: fresh.map((about): Note => ({ kind: 'problem', about, reason: GONE })),
  }
}

/** Whether others are covered where it was. */
export const isLeftIn = (covered: SightLedger['covered'], key: string): boolean =>
  own(covered, key.slice(0, key.lastIndexOf('/'))) !== undefined

/** What isn't noted counts as never stalled: the brake then holds it, rather than let too much be removed. */
const STALLED = 500
const someOf = (stalled: Plan['stalled']): Record<string, string> =>
  Object.fromEntries(Object.entries(stalled).slice(0, STALLED))

const GONE =
  "it was covered and is no longer listed: it was deleted or renamed, or the relay's certificate may no longer see it. Its verified copies stay"

/** Names of instances hold no spaces. */
const keysOf = (covered: SightLedger['covered']): string[] =>
  Object.entries(covered).flatMap(([place, names]) => names.split(' ').map((name) => `${place}/${name}`))

function namesBy(keys: readonly string[]): SightLedger['covered'] {
  const places = new Map<string, Set<string>>()
  for (const key of [...keys].sort()) {
    const [remote, project, name] = pathOf(key)
    const place = `${remote}/${project}`
    places.set(place, (places.get(place) ?? new Set()).add(name))
  }
  return Object.fromEntries([...places].map(([place, names]) => [place, [...names].join(' ')]))
}
