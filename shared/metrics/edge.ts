/** All metrics of the Worker: they are read from the verdict, the ledger and the facts, and counted nowhere. */
import type { Ledger } from '../ledger/ledger.ts'
import { emptyLedger } from '../ledger/ledger.ts'
import { remotesOf } from '../policy/places.ts'
import type { Policy } from '../policy/policy.ts'
import type { Facts } from '../promise/facts.ts'
import type { Verdict } from '../promise/verdict.ts'
import { type Family, flag, gauge, secondsOf, single } from './family.ts'
import { slotFamilies, workFamilies } from './ledger.ts'
import { promiseFamilies } from './promises.ts'

type Edge = {
  verdict: Verdict
  policies: readonly Policy[]
  /** Null: no tick has run yet. */
  ledger: Ledger | null
  facts: Facts | null
  now: Date
}

export function edgeFamilies({ verdict, policies, ledger, facts, now }: Edge): Family[] {
  const noted = ledger ?? emptyLedger('')
  return [
    ...promiseFamilies(verdict, now),
    ...lookFamilies(policies, ledger, facts),
    ...slotFamilies(policies, noted, now),
    ...workFamilies(noted),
  ]
}

function lookFamilies(policies: readonly Policy[], ledger: Ledger | null, facts: Facts | null): Family[] {
  return [
    gauge(
      'stapes_remote_answers',
      'Whether the remote gave an answer at the last look.',
      facts === null
        ? []
        : remotesOf(policies).map((remote) => ({
            labels: { remote },
            value: flag(!Object.hasOwn(facts.silent ?? {}, remote)),
          })),
    ),
    gauge(
      'stapes_unprotected_instances',
      'Instances that no policy covers and nobody has excluded.',
      Object.entries(facts?.uncovered ?? {}).map(([place, names]) => ({
        labels: { remote: place.split('/')[0] ?? '', project: place.split('/')[1] ?? '' },
        value: names.split(' ').length,
      })),
    ),
    gauge(
      'stapes_last_look_timestamp_seconds',
      'The last look at Incus that was noted.',
      single(facts === null ? null : secondsOf(facts.at)),
    ),
    gauge(
      'stapes_last_tick_timestamp_seconds',
      'When a tick last wrote the ledger into KV.',
      single(ledger?.written === undefined ? null : secondsOf(ledger.written)),
    ),
    gauge(
      'stapes_next_tick_due_timestamp_seconds',
      'When work is due next: nothing is before. Overdue work is before now.',
      single(ledger === null ? null : secondsOf(ledger.wakeAt)),
    ),
  ]
}
