/** A moment as people read it: "2026-11-22 03:00 UTC". What is no moment stays as it is. */
export function minuteText(at: string): string {
  const moment = new Date(at)
  if (Number.isNaN(moment.getTime())) return at
  return `${moment.toISOString().slice(0, 16).replace('T', ' ')} UTC`
}
