/** So many minutes after an instant, in ISO 8601. */
export const minutesFrom = (now: Date, minutes: number): string =>
  new Date(now.getTime() + minutes * 60_000).toISOString()

/** The minute that an instant lies in. */
export const minuteOf = (now: Date): Date => new Date(Math.floor(now.getTime() / 60_000) * 60_000)

const MOMENT = /^(\d{4}-\d\d-\d\d)T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/

/** An instant in ISO 8601, with its offset from UTC; on a day that there is. */
export function isMoment(text: string): boolean {
  const day = new Date(`${MOMENT.exec(text)?.[1]}T00:00Z`)
  return !Number.isNaN(day.getTime()) && text.startsWith(day.toISOString().slice(0, 10))
}
