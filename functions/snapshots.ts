/** The snapshots of one instance or copy, each with who made it, when it ends and why it is kept. */
import { compareAge, isManual, ownSnapshot } from '../shared/incus/snapshot-name.ts'
import { pathOf } from '../shared/incus/subject.ts'
import { emptyLedger } from '../shared/ledger/ledger.ts'
import { decide } from '../shared/plan/decide.ts'
import { type Details, parseDetails } from '../shared/plan/details.ts'
import { instancesIn, isCopy } from '../shared/plan/find.ts'
import { linesOf } from '../shared/plan/lines.ts'
import type { LookRequest } from '../shared/plan/request.ts'
import { compilePaths } from '../shared/policy/glob.ts'
import { holdsOf } from '../shared/policy/marks.ts'
import { err, ok, type Result } from '../shared/result.ts'
import type { Relay } from './incus/relay.ts'
import { read } from './perform.ts'
import type { Look } from './run.ts'
import { installationOf, type StoredConfig } from './state/config.ts'

type Known = Pick<Look, 'world' | 'coverages' | 'ledger'> & {
  stored: StoredConfig
  keyDigest: string
  now: Date
}

/** The only one that is called so; a copy only if nothing else is. Null: none, or several. */
export function oneCalled(path: string, { world }: Pick<Look, 'world'>) {
  const fits = compilePaths([path])
  const all = instancesIn(world).filter(({ key }) => fits(pathOf(key)))
  const sources = all.filter(({ record }) => !isCopy(record))
  const [only, other] = sources.length > 0 ? sources : all
  return only !== undefined && other === undefined ? only : null
}

/** By Incus itself, of that one. */
export async function detailsOf(
  one: NonNullable<ReturnType<typeof oneCalled>>,
  relay: Relay,
): Promise<Details> {
  const answers = await read([{ id: 'details', steps: [{ do: 'read-snapshots', ref: one.ref }] }], relay)
  return parseDetails(answers.of('details'))
}

/** Why each of them stays, or that it goes, by what the next run would do. */
export function reasonsOf(
  key: string,
  { world, coverages, ledger, stored, keyDigest, now }: Known,
): Map<string, string[]> {
  const request: LookRequest = { do: 'look', instances: [key], reason: '' }
  const plan = decide({
    ...{ world, coverages, ledger: ledger ?? emptyLedger(stored.version), now },
    installation: installationOf(stored, keyDigest),
    request,
    explain: true,
  })
  const reasons = new Map<string, string[]>()
  for (const { about, what, reason } of linesOf(plan))
    if (about === key && what !== '') reasons.set(what, [...new Set([...(reasons.get(what) ?? []), reason])])
  return reasons
}

export async function snapshotsOf(path: string, known: Known, relay: Relay): Promise<Result<object, string>> {
  const one = oneCalled(path, known)
  if (one === null) return err(`"${path}" names none, or several: write it as remote/project/instance`)
  const { key, record } = one
  if (record.snapshots === null)
    return err(`${key}: ${record.problem ?? 'its snapshots could not be listed'}`)
  const details = await detailsOf(one, relay)
  const reasons = reasonsOf(key, known)
  const held = holdsOf(record)
  const newestFirst = record.snapshots.toSorted((a, b) => compareAge(b, a))
  return ok({
    instance: key,
    problem: details === null ? 'when they end, and their size, could not be read: try again' : null,
    snapshots: newestFirst.map((pair) => {
      const [name, createdAt] = pair
      const detail = details?.get(name)
      return {
        name,
        createdAt: new Date(createdAt * 1000).toISOString(),
        by: isManual(name) ? 'request' : (ownSnapshot(pair)?.policy ?? null),
        held: held.has(name),
        ...(detail === undefined ? {} : detail),
        reasons: reasons.get(name) ?? [],
      }
    }),
  })
}
