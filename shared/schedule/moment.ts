/** So many minutes after an instant, in ISO 8601. */
export const minutesFrom = (now: Date, minutes: number): string =>
  new Date(now.getTime() + minutes * 60_000).toISOString()
