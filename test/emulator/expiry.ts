/** `snapshots.expiry`: `7d 12H`, each unit once, M minutes and m months. */
import { Refusal } from './envelope.ts'

const FORM = /^\d+[SMHdwmy]( \d+[SMHdwmy])*$/

export function checkExpiry(expression: string): void {
  const units = expression.split(' ').map((part) => part.slice(-1))
  if (!FORM.test(expression) || new Set(units).size !== units.length)
    throw new Refusal(500, 'Invalid config: Invalid expiry expression')
}

/** Milliseconds since the epoch. */
export function expiryFrom(now: number, expression: string): number {
  const date = new Date(now)
  for (const part of expression.split(' ')) add(date, part.slice(-1), Number(part.slice(0, -1)))
  return date.getTime()
}

function add(date: Date, unit: string, count: number): void {
  if (unit === 'S') date.setUTCSeconds(date.getUTCSeconds() + count)
  if (unit === 'M') date.setUTCMinutes(date.getUTCMinutes() + count)
  if (unit === 'H') date.setUTCHours(date.getUTCHours() + count)
  if (unit === 'd') date.setUTCDate(date.getUTCDate() + count)
  if (unit === 'w') date.setUTCDate(date.getUTCDate() + 7 * count)
  if (unit === 'm') date.setUTCMonth(date.getUTCMonth() + count)
  if (unit === 'y') date.setUTCFullYear(date.getUTCFullYear() + count)
}
