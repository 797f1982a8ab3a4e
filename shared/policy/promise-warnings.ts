/** Promises that a policy's own schedule can't keep. */
import { spanOf } from '../chat/age.ts'
import { own } from '../own.ts'
import { PROMISES } from '../promise/terms.ts'
import { spacingOf } from '../schedule/spacing.ts'
import type { Policy } from './policy.ts'

export function promiseWarnings(policy: Policy): string[] {
  const { name, promise, timezone, schedule } = policy
  const schedules = { snapshot: schedule, copy: schedule, export: policy.export?.schedule ?? [] }
  return PROMISES.flatMap((kind) => {
    const seconds = own(promise ?? {}, kind) ?? null
    const gap =
      seconds === null ? null : spacingOf({ schedule: own(schedules, kind) ?? [], timezone })?.longest
    if (seconds === null || gap == null || seconds * 1000 > gap) return []
    return [
      `policies.${name}.promise.${kind}: ${spanOf(seconds * 1000)} is not longer than the ${spanOf(gap)} that lie between two slots of its ${kind === 'export' ? 'export.schedule' : 'schedule'}, so it is broken again and again though nothing fails`,
    ]
  })
}
