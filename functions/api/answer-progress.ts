/** `GET /api/progress`: what runs or waits for its turn just now, and how far it is, as the relay tells. Incus isn't asked. */
import { parseProgress } from '../../shared/chat/age.ts'
import { keyIn, kindIn, workOfJob } from '../../shared/ledger/work.ts'
import { own } from '../../shared/own.ts'
import type { JobReport } from '../../shared/relay/protocol.ts'
import { isLive } from '../../shared/work/life.ts'
import { LONG_KINDS } from '../../shared/work/verbs.ts'

/** By kind and key, as `GET /api/status` has them. */
export function progressOf(jobs: readonly JobReport[], now: Date) {
  const work = jobs.filter(isLive).flatMap((report) => {
    const key = workOfJob(report.id)
    const several = key === null ? undefined : own(NOUNS, kindIn(key))
    return key === null || several === undefined
      ? []
      : [{ kind: several, key: keyIn(key), ...stateOf(report), ...farOf(report) }]
  })
  return { at: now.toISOString(), work }
}

const NOUNS = Object.fromEntries(LONG_KINDS.map(({ name, long }) => [name, long.noun.several]))

const stateOf = ({ state, since }: JobReport) => ({
  state: state === 'queued' ? ('queued' as const) : ('running' as const),
  since,
})

function farOf({ progress }: JobReport): object {
  if (progress === undefined) return {}
  const parsed = parseProgress(progress)
  if (parsed === null) return { progress }
  const { bytes, bytesPerSecond, percent } = parsed
  return { progress, bytes, bytesPerSecond, ...(percent === null ? {} : { percent }) }
}
