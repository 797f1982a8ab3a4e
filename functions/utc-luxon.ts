/**
 * Stands in for luxon in the Worker's bundle (`[alias]` in wrangler.toml), a fifth of which luxon would be.
 * Only cron-parser asks for it, and shared/schedule/slots.ts lets cron-parser walk in UTC alone and does
 * zones itself. So here is what such a walk takes; any other zone or use throws. Node goes on with luxon,
 * and test/unit/functions/utc-luxon.test.ts shows that both give the same slots.
 */

/** In milliseconds; in UTC each of them is always as long. */
const LENGTHS = { day: 86_400_000, hour: 3_600_000, minute: 60_000, second: 1000 }

type Unit = 'month' | keyof typeof LENGTHS

type Step = Partial<Record<'years' | `${Unit}s`, number>>

type Clock = Partial<Record<'hour' | 'minute' | 'second' | 'millisecond', number>>

function refuse(what: string): never {
  throw new Error(`the Worker has luxon for UTC only, without ${what}: see functions/utc-luxon.ts`)
}

export class DateTime {
  readonly #date: Date

  private constructor(milliseconds: number) {
    this.#date = new Date(milliseconds)
  }

  static fromMillis(milliseconds: number, { zone }: { zone?: string | undefined }): DateTime {
    return zone === 'UTC' ? new DateTime(milliseconds) : refuse(`zone "${zone}"`)
  }

  static fromJSDate(date: Date, options: { zone?: string | undefined }): DateTime {
    return DateTime.fromMillis(date.getTime(), options)
  }

  static local(): never {
    return refuse('the present')
  }

  static fromISO(): never {
    return refuse('dates as text')
  }

  setZone(zone: string): never {
    return refuse(`zone "${zone}"`)
  }

  toUTC(): never {
    return refuse('toUTC')
  }

  toJSON(): never {
    return refuse('toJSON')
  }

  get zoneName(): 'UTC' {
    return 'UTC'
  }

  /** In minutes. */
  get offset(): 0 {
    return 0
  }

  get isValid(): boolean {
    return Number.isFinite(this.valueOf())
  }

  get year(): number {
    return this.#date.getUTCFullYear()
  }

  /** January is 1. */
  get month(): number {
    return this.#date.getUTCMonth() + 1
  }

  get day(): number {
    return this.#date.getUTCDate()
  }

  /** Monday is 1, Sunday is 7. */
  get weekday(): number {
    return this.#date.getUTCDay() || 7
  }

  get hour(): number {
    return this.#date.getUTCHours()
  }

  get minute(): number {
    return this.#date.getUTCMinutes()
  }

  get second(): number {
    return this.#date.getUTCSeconds()
  }

  get millisecond(): number {
    return this.#date.getUTCMilliseconds()
  }

  valueOf(): number {
    return this.#date.getTime()
  }

  toJSDate(): Date {
    return new Date(this.#date)
  }

  plus({ years = 0, months = 0, days = 0, hours = 0, minutes = 0, seconds = 0 }: Step): DateTime {
    const { day, hour, minute, second } = LENGTHS
    const steps = days * day + hours * hour + minutes * minute + seconds * second
    return new DateTime(this.#afterMonths(years * 12 + months) + steps)
  }

  minus(step: Step): DateTime {
    return this.plus(Object.fromEntries(Object.entries(step).map(([unit, count]) => [unit, -count])))
  }

  startOf(unit: Unit): DateTime {
    if (unit === 'month') return new DateTime(Date.UTC(this.year, this.month - 1))
    return new DateTime(Math.floor(this.valueOf() / LENGTHS[unit]) * LENGTHS[unit])
  }

  endOf(unit: Unit): DateTime {
    const next = this.startOf(unit).plus({ [`${unit}s`]: 1 })
    return new DateTime(next.valueOf() - 1)
  }

  set({ hour = this.hour, minute = this.minute, second = this.second, ...others }: Clock): DateTime {
    const { millisecond = this.millisecond, ...strange } = others
    for (const unit in strange) refuse(`set({ ${unit} })`)
    return new DateTime(Date.UTC(this.year, this.month - 1, this.day, hour, minute, second, millisecond))
  }

  /** The same time of day so many months later, at the latest on the month's last day; in milliseconds. */
  #afterMonths(count: number): number {
    const first = Date.UTC(this.year, this.month - 1 + count)
    const lastDay = new Date(Date.UTC(this.year, this.month + count, 0)).getUTCDate()
    const time = this.valueOf() - this.startOf('day').valueOf()
    return first + (Math.min(this.day, lastDay) - 1) * LENGTHS.day + time
  }
}
