/** Whether servers reach each other in the direction in which policies copy, and have there what instances use. */
import { remoteOf, subjectKey } from '../incus/subject.ts'
import { own } from '../own.ts'
import type { Covered } from '../policy/cover.ts'
import { targetOf } from '../policy/places.ts'
import type { Examined, RelayFacts } from './examined.ts'
import { critical, type Finding, unknown, warning } from './finding.ts'
import { waysWanted } from './wanted.ts'

export function aboutReach(examined: Examined, { ways }: RelayFacts): Finding[] {
  const unseen = silentIn(examined)
  const silent = unseen.map((remote) =>
    unknown(
      'reach-unknown',
      remote,
      `whether ${remote} and others reach each other could not be tried`,
      'have it answer first',
    ),
  )
  const tried = waysWanted(examined).flatMap(({ from, to, mode, tried }): Finding[] => {
    const about = `${from} > ${to}`
    const cure = `let ${from} connect to the address of ${to} in relay.jsonc; where it can't, "transferMode": "relay" has the relay pass the data on (docs/operations.md, "Servers that can't reach each other")`
    // What it has isn't known, which isn't none.
    if (unseen.includes(from)) return []
    if (tried === null)
      return [
        unknown(
          'reach-unknown',
          about,
          `whether ${from} reaches ${to}, as "${mode}" needs it, can't be tried: ${from} has no snapshot yet to try it with`,
          'make the first copy, and ask again',
        ),
      ]
    const way = ways.find((one) => one.from.remote === from && one.to === to)
    if (way?.state === 'reached') return []
    const why = way === undefined ? 'the relay did not try it' : way.reason
    return [
      way?.state === 'failed'
        ? critical('reach-failed', about, `${from} can't reach ${to}, as "${mode}" needs it: ${why}`, cure)
        : unknown('reach-unknown', about, `whether ${from} reaches ${to} could not be tried: ${why}`, cure),
    ]
  })
  return [...silent, ...tried]
}

/** What is on these isn't known, and so not what policies would want there. */
const silentIn = ({ remotes }: Examined): string[] =>
  Object.entries(remotes).flatMap(([remote, { ok }]) => (ok ? [] : [remote]))

/** Incus wants the profiles of a first copy there, and the networks when it is started. */
export function aboutNeeds(examined: Examined, { remotes }: RelayFacts): Finding[] {
  const { coverages, remotes: seen } = examined
  const missing = new Map<
    string,
    { kind: 'profile' | 'network'; name: string; place: string; of: string[] }
  >()
  const unseen = silentIn(examined)
  const unread = new Map<string, string>()
  const copied = coverages.flatMap(({ covered }) => covered.filter(({ policy }) => policy.copy !== null))
  for (const one of copied) {
    const { target, uses, there } = partsOf(one, remotes)
    const place = `${target.remote}/${target.project}`
    if (unseen.includes(target.remote)) continue
    if (uses === null || there === null || there.profiles === null) unread.set(place, 'profiles')
    if (uses === null || there === null) continue
    const given = one.policy.copy?.given?.profiles
    const isThere = hasInstance(seen, target)
    const profiles = isThere ? [] : (given ?? usedBy(uses.profiles, one))
    const networks = usedBy(uses.networks, one)
    if (networks.length > 0 && there.networks === null) unread.set(place, 'networks')
    const lacking = [
      ...profiles.map((name) => ({ kind: 'profile' as const, name, has: there.profiles })),
      ...networks.map((name) => ({ kind: 'network' as const, name, has: there.networks })),
    ].filter(({ name, has }) => has?.includes(name) === false)
    for (const { kind, name } of lacking) {
      const found = missing.get(`${kind} ${name} ${place}`) ?? { kind, name, place, of: [] }
      missing.set(`${kind} ${name} ${place}`, { ...found, of: [...found.of, one.key] })
    }
  }
  return [
    ...[...missing.values()].map(({ kind, name, place, of }) =>
      kind === 'profile'
        ? warning(
            'profile-missing',
            place,
            `${place} has no profile "${name}", so Incus refuses the first copy of ${someOf(of)}`,
            `create it there, or name others ("copy.profiles")`,
          )
        : warning(
            'network-missing',
            place,
            `${place} has no network "${name}", so the copy of ${someOf(of)} would not start there`,
            `create it there, or give the copies another device ("copy.devices")`,
          ),
    ),
    ...unseen.map((remote) =>
      unknown(
        'needs-unknown',
        remote,
        `whether ${remote} has what copies need isn't known`,
        'have it answer first',
      ),
    ),
    ...[...unread].map(([place, what]) =>
      unknown(
        'needs-unknown',
        place,
        `whether ${place} has what copies need isn't known: ${what} can't be listed there`,
        'let the relay’s certificate see them, or compare them there yourself',
      ),
    ),
  ]
}

const NAMED = 3

const someOf = (keys: readonly string[]): string =>
  `${keys.slice(0, NAMED).join(', ')}${keys.length > NAMED ? ` and ${keys.length - NAMED} more` : ''}`

function partsOf({ ref, policy: { copy } }: Covered, remotes: RelayFacts['remotes']) {
  const target = copy === null ? ref : targetOf(ref, copy)
  const [source, destination] = [own(remotes, ref.remote), own(remotes, target.remote)]
  return {
    target,
    uses: source?.ok === true ? (own(source.projects, ref.project)?.uses ?? null) : null,
    there: destination?.ok === true ? (own(destination.projects, target.project) ?? null) : null,
  }
}

const usedBy = (of: Readonly<Record<string, string[]>>, { ref }: Covered): string[] =>
  Object.entries(of).flatMap(([name, users]) => (users.includes(ref.instance) ? [name] : []))

function hasInstance(remotes: Examined['remotes'], ref: Covered['ref']): boolean {
  const reply = own(remotes, remoteOf(subjectKey(ref)))
  return (
    reply?.ok === true &&
    reply.inventory.instances.some(({ project, name }) => project === ref.project && name === ref.instance)
  )
}
