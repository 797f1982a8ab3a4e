import { createHash } from 'node:crypto'
import { Refusal } from './envelope.ts'

export const etag = (tagged: unknown): string =>
  createHash('sha256').update(JSON.stringify(tagged)).digest('hex')

/** If-Match is optional; a stale one stops the change. */
export function checkMatch(ifMatch: string | undefined, tagged: unknown): void {
  if (ifMatch === undefined) return
  const [asked, present] = [ifMatch.replaceAll('"', ''), etag(tagged)]
  if (asked !== present) throw new Refusal(412, `ETag doesn't match: ${present} vs ${asked}`)
}
