import { Refusal } from './envelope.ts'

export function checkInstanceName(name: string): void {
  if (!/^[A-Za-z0-9-]{1,63}$/.test(name))
    throw new Refusal(400, 'Invalid instance name: Name can only contain alphanumeric and hyphen characters')
}

const DATE_PARTS: Record<string, (date: string) => string> = {
  '2006': (date) => date.slice(0, 4),
  '01': (date) => date.slice(5, 7),
  '02': (date) => date.slice(8, 10),
  '15': (date) => date.slice(11, 13),
  '04': (date) => date.slice(14, 16),
  '05': (date) => date.slice(17, 19),
}

const DATED = /\{\{\s*creation_date\s*\|\s*date:'([^']*)'\s*\}\}/g
const UNDATED = /\{\{\s*creation_date\s*\}\}/g

/** The name that `snapshots.pattern` gives now, past those that are taken. */
export function nameFromPattern(pattern: string, now: number, taken: ReadonlyMap<string, unknown>): string {
  const iso = new Date(now).toISOString()
  const name = pattern
    .replace(DATED, (_, layout: string) =>
      layout.replace(/2006|01|02|15|04|05/g, (part) => DATE_PARTS[part]?.(iso) ?? ''),
    )
    .replace(UNDATED, `${iso.slice(0, 19).replace('T', ' ')} +0000 UTC`)
    .replace(/\{\{[^}]*\}\}/g, '')
  const counters = name.split('%d').length - 1
  if (counters > 1) throw new Refusal(500, "Snapshot pattern may contain '%d' only once")
  if (counters === 1) return name.replace('%d', String(nextNumber(name, taken)))
  return taken.has(name) ? `${name}-${nextNumber(`${name}-%d`, taken)}` : name
}

/** One more than the highest number found where the `%d` stands, whoever made that name. */
function nextNumber(pattern: string, taken: ReadonlyMap<string, unknown>): number {
  const [head = '', tail = ''] = pattern.split('%d')
  let next = 0
  for (const name of taken.keys()) {
    if (!name.startsWith(head)) continue
    const found = /^\d+/.exec(name.slice(head.length))?.[0]
    if (found !== undefined && (tail === '' || name.endsWith(tail))) next = Math.max(next, Number(found) + 1)
  }
  return next
}
