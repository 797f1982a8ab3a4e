/** Spans and amounts as people say them, roughly: for reading, never for deciding. */
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const MONTH = 30 * DAY

/** Milliseconds to "45 s", "12 min", "3 h", "2 days", "5 months". Negative spans count as 0. */
export function spanOf(ms: number): string {
  const span = Math.max(0, ms)
  if (span < 90_000) return `${Math.floor(span / 1000)} s`
  if (span < 90 * MINUTE) return `${Math.floor(span / MINUTE)} min`
  if (span < 2 * DAY) return `${Math.floor(span / HOUR)} h`
  if (span < 2 * MONTH) return `${Math.floor(span / DAY)} days`
  if (span < 24 * MONTH) return `${Math.floor(span / MONTH)} months`
  return `${Math.floor(span / (365 * DAY))} years`
}

/** Since a moment in ISO 8601. */
export const ageOf = (at: string, now: Date): string => spanOf(now.getTime() - new Date(at).getTime())

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB']

/** Bytes to "820 B", "1.4 GB", "121 MB"; in powers of 1000, as Incus counts. */
export function sizeOf(bytes: number): string {
  let size = bytes
  let unit = 0
  while (size >= 999.5 && unit < UNITS.length - 1) {
    size /= 1000
    unit += 1
  }
  return `${size < 9.95 && unit > 0 ? size.toFixed(1) : size.toFixed(0)} ${UNITS[unit]}`
}

const AMOUNT = '(\\d+(?:\\.\\d+)?)(B|[kMGTPE]B)'
const PROGRESS = new RegExp(`^(?:(.+): )?${AMOUNT} \\(${AMOUNT}/s\\)$`)

/** `percent`: whole ones; null: what all of it is isn't known. `bytesPerSecond` and `bytes` so far. */
export type Progress = {
  of: string | null
  bytes: number
  bytesPerSecond: number
  percent: number | null
}

/** Incus's "rootfs: 1.21GB (120.50MB/s)", the relay's "export (45 %): 1.21GB (…)"; null for any other text, since it promises no form. */
export function parseProgress(text: string): Progress | null {
  const found = PROGRESS.exec(text.trim())
  if (found === null) return null
  const [, label = '', amount = '', amountUnit = '', rate = '', rateUnit = ''] = found
  const [, of, percent] = /^(.+) \((\d{1,3}) %\)$/.exec(label) ?? [label, label]
  return {
    of: of === undefined || of === '' ? null : of,
    bytes: bytesOf(amount, amountUnit),
    bytesPerSecond: bytesOf(rate, rateUnit),
    percent: percent === undefined ? null : Math.min(100, Number(percent)),
  }
}

/** The bytes that Incus's progress names; 0 for any other text. */
export const bytesOfProgress = (text: string): number => parseProgress(text)?.bytes ?? 0

const bytesOf = (value: string, unit: string): number =>
  Math.round(Number(value) * 1000 ** UNITS.indexOf(unit))
