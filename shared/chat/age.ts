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

/** Incus's "rootfs: 1.21GB (120.50MB/s)"; null for any other text, since it promises no form. */
export function parseProgress(text: string): { of: string | null; amount: string; rate: string } | null {
  const found = PROGRESS.exec(text.trim())
  if (found === null) return null
  const [, of, amount = '', amountUnit = '', rate = '', rateUnit = ''] = found
  return {
    of: of ?? null,
    amount: sizeOf(bytesOf(amount, amountUnit)),
    rate: `${sizeOf(bytesOf(rate, rateUnit))}/s`,
  }
}

/** The bytes that Incus's progress names; 0 for any other text. */
export function bytesOfProgress(text: string): number {
  const [, , amount, unit] = PROGRESS.exec(text.trim()) ?? []
  return amount === undefined || unit === undefined ? 0 : bytesOf(amount, unit)
}

const bytesOf = (value: string, unit: string): number => Number(value) * 1000 ** UNITS.indexOf(unit)
