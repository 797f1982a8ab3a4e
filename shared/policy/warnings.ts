/** Warnings about a valid configuration that its author may not mean. */

import { readFields } from '../schedule/slots.ts'
import { againstKeep } from './contradictions.ts'
import { outlastingWarnings } from './outlasting.ts'
import type { Config, Policy } from './policy.ts'
import { promiseWarnings } from './promise-warnings.ts'

export const warningsOf = ({ policies }: Config): string[] => [
  ...policies.flatMap((policy) => [
    ...stepWarnings(policy),
    ...outlastingWarnings(policy),
    ...expiryWarnings(policy),
    ...promiseWarnings(policy),
  ]),
  ...pingWarnings(policies),
]

/** A check that several policies ping is up as soon as one of them is. */
function pingWarnings(policies: readonly Policy[]): string[] {
  const sharing = new Map<string, string[]>()
  for (const { name, ping } of policies)
    if (ping != null && !ping.slug) sharing.set(ping.secret, [...(sharing.get(ping.secret) ?? []), name])
  return [...sharing].flatMap(([secret, [first, ...others]]) =>
    first === undefined || others.length === 0
      ? []
      : [
          `policies.${first}.ping: ${others.join(', ')} ping${others.length === 1 ? 's' : ''} the same check, of ${secret}, so it says that all is well when one of them is: give each a check of its own, or say "slug": true with the address of the project`,
        ],
  )
}

function expiryWarnings(policy: Policy): string[] {
  const why = againstKeep(policy)
  return why === null ? [] : [`policies.${policy.name}.expiry: ${why}`]
}

/** The fields of a cron expression, each with what a step in it begins anew with. */
const FIELDS = [
  { key: 'minute', unit: 'minutes', size: 60, anew: 'each hour' },
  { key: 'hour', unit: 'hours', size: 24, anew: 'each day' },
  { key: 'dayOfMonth', unit: 'days', size: null, anew: 'each month' },
  { key: 'month', unit: 'months', size: 12, anew: 'each year' },
  { key: 'dayOfWeek', unit: 'days', size: 7, anew: 'each week' },
] as const

/** A step counts from the field's first value, and no further than its last: only a divisor is an interval. */
function stepWarnings({ name, schedule }: Policy): string[] {
  return schedule.flatMap((expression) => {
    const parts = expression.split(' ')
    return FIELDS.flatMap(({ key, unit, size, anew }, at) => {
      const part = parts[at] ?? ''
      const step = Number(/^\*\/(\d+)$/.exec(part)?.[1] ?? 1)
      if (step === 1 || (size !== null && size % step === 0 && step < size)) return []
      const values = readFields(expression)[key]
      const means = `it means ${unit} ${listed(values)} of ${anew}`
      return [
        `policies.${name}.schedule: in "${expression}", "${part}" is not an interval of ${step} ${unit}, because a step starts again ${anew.replace('each', 'in each')}: ${means}`,
      ]
    })
  })
}

const SHOWN = 8

function listed(values: readonly number[]): string {
  if (values.length <= SHOWN) return values.join(', ')
  return `${values.slice(0, SHOWN - 2).join(', ')}, … ${values.at(-1)}`
}
