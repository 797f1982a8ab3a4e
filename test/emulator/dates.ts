/** RFC 3339 as Go reads and writes it: nanoseconds, no trailing zeros, the zone as it was given. */

/** Go's zero time, which stands for "never". */
export const NEVER = '0001-01-01T00:00:00Z'

/** A date on the wire and as a number; `ms` is null for never. */
export type Moment = { text: string; ms: number | null }

export const never: Moment = { text: NEVER, ms: null }

const trim = (text: string): string => text.replace(/\.?0*$/, '')

/** `nanos` are those below the millisecond, 0 to 999999. */
export function formatDate(ms: number, nanos = 0): string {
  const iso = new Date(ms).toISOString().slice(0, -1)
  return nanos === 0 && iso.endsWith('.000')
    ? `${iso.slice(0, -4)}Z`
    : `${trim(iso + String(nanos).padStart(6, '0'))}Z`
}

/** Cut to the second, as copies of instances and their snapshots get it. */
export const formatSecond = (second: number): string =>
  `${new Date(second * 1000).toISOString().slice(0, 19)}Z`

const RFC3339 = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d+))?(Z|[+-]\d{2}:\d{2})$/

/** Null when the text isn't a date in Go's RFC 3339. */
export function parseDate(text: string): Moment | null {
  const found = RFC3339.exec(text)
  if (found === null) return null
  const [, seconds = '', fraction = '', zone = 'Z'] = found
  const ms = Date.parse(seconds + zone)
  if (Number.isNaN(ms)) return null
  const digits = fraction.slice(0, 9).replace(/0+$/, '')
  const canonical = `${seconds}${digits === '' ? '' : `.${digits}`}${zone === '+00:00' ? 'Z' : zone}`
  if (canonical === NEVER) return never
  return { text: canonical, ms: ms + Number(digits.padEnd(3, '0').slice(0, 3)) }
}
