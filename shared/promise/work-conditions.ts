/** Long work that fails, and tries for the open slots. */
import { remoteOf } from '../incus/subject.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { keyIn, kindIn, subjectIn, targetIn } from '../ledger/work.ts'
import { own } from '../own.ts'
import type { Policy } from '../policy/policy.ts'
import { COPY } from '../work/copy/entry.ts'
import { ENDS } from '../work/life.ts'
import { type About, type Condition, critical, ofInstance, ofRemote } from './condition.ts'
import type { Facts } from './facts.ts'

type Known = { policies: readonly Policy[]; facts: Facts | null }

/** Long work that failed, and tries for the open slots. */
export function failing(known: Known, { work, policies }: Ledger): Condition[] {
  const broken = Object.entries(work).flatMap(([key, entry]): Condition[] => {
    const { attempts, retryAt, reason = 'no reason was given' } = entry
    const runs = ENDS[entry.state] === null
    // While it is tried again it is no better than before.
    if (ENDS[entry.state] === 'good' || (runs && attempts === 0)) return []
    const retried = runs ? `; it is tried again since ${entry.at}` : ''
    const again = retryAt === undefined ? retried : `; next try at ${retryAt}`
    const how = entry.state === 'unknown' ? 'ended with an unknown outcome' : 'failed'
    const counted = attempts === 0 ? 'waits' : `${how} (${tries(attempts)})`
    const text = `the ${kindIn(key)} of ${keyIn(key)} ${counted}: ${reason}${again}`
    const isFirst = attempts === 1 && (retryAt !== undefined || runs)
    if (isUnwanted(key, known)) {
      const over = `the ${kindIn(key)} of ${keyIn(key)} ${counted}, and is made no longer: ${reason}`
      return [critical(key, over, ofInstance(subjectIn(key)), { severity: 'info', since: entry.at })]
    }
    const severity = attempts === 0 || isFirst ? 'warning' : 'critical'
    return [critical(key, text, ofInstance(subjectIn(key)), { severity, since: entry.at, reason })]
  })
  const slots = Object.entries(policies).flatMap(([policy, { open }]) =>
    Object.entries(open?.attempts ?? {}).map(([about, { count, reason, retryAt }]) => {
      const again = retryAt === undefined ? '' : `; next try at ${retryAt}`
      const what = about.startsWith(REMOTE)
        ? `${about.slice(REMOTE.length)} could not be read for the slot`
        : `${about} has no snapshot of the slot`
      const text = `${what} ${open?.slot} of ${policy} yet (${tries(count)}): ${reason}${again}`
      // A second try follows within two minutes.
      const severity = count === 1 && retryAt !== undefined ? 'warning' : 'critical'
      const more = { severity, since: open?.slot ?? null, reason } as const
      return critical(`slot ${policy} ${about}`, text, placeOf(about), more)
    }),
  )
  return [...broken, ...slots]
}

/** A copy that no policy wants any more, by what the last look has shown. */
function isUnwanted(key: string, { policies, facts }: Known): boolean {
  const source = subjectIn(key)
  if (kindIn(key) !== COPY || facts === null || own(facts.silent ?? {}, remoteOf(source)) !== undefined)
    return false
  return policies.every(({ name, copy }) => {
    const subjects = own(facts.subjects, name)
    // One that no look has shown yet may want it.
    if (subjects === undefined) return false
    const fact = own(subjects, source)
    return (
      copy === null ||
      fact === undefined ||
      fact.uncopied === true ||
      (fact.place ?? targetIn(key)) !== targetIn(key)
    )
  })
}

const tries = (count: number): string => (count === 1 ? '1 try' : `${count} tries`)

/** `remote:main` stands for all of a remote. */
const placeOf = (key: string): About =>
  key.startsWith(REMOTE) ? ofRemote(key.slice(REMOTE.length)) : ofInstance(key)

const REMOTE = 'remote:'
