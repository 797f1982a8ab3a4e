import { createHash } from 'node:crypto'
import { Refusal } from './envelope.ts'

const etag = (tagged: unknown): string => createHash('sha256').update(JSON.stringify(tagged)).digest('hex')

/** As the header that an answer carries; {} where it has none. */
export const etagOf = (tagged: unknown): { etag?: string } =>
  tagged === undefined ? {} : { etag: `"${etag(tagged)}"` }

/** If-Match is optional; a stale one stops the change. */
export function checkMatch(ifMatch: string | undefined, tagged: unknown): void {
  if (ifMatch === undefined) return
  const [asked, present] = [ifMatch.replaceAll('"', ''), etag(tagged)]
  if (asked !== present) throw new Refusal(412, `ETag doesn't match: ${present} vs ${asked}`)
}
