/** What may not change on either side between the look that decided about a refresh and its transfer. */
import { expect, test } from 'vitest'
import { againstChange } from '../../../relay/engine/steps/copy-guard.ts'
import type { Sides } from '../../../relay/engine/steps/copy-reads.ts'
import { type Expiring, parseSource } from '../../../shared/incus/source.ts'
import { NEVER, rowOf } from './copying.ts'
import { copyStep, INSTANCE } from './steps.ts'

const [A, B, C, D] = ['0100', '0200', '0300', '0400'].map((at) => `hourly-20261122T${at}Z`) as [
  ...[string, string, string, string],
]
const OF = 'main/default/web1'

function sides(source: string[], copy: string[] | null, more: { of?: string; status?: string } = {}): Sides {
  const details = parseSource(
    INSTANCE,
    source.map((name) => rowOf(name)),
  )
  if (!details.ok) throw new Error(details.error)
  if (copy === null) return { details: details.value, target: null }
  const snapshots: Expiring[] = copy.map((name) => {
    const at = Date.parse(rowOf(name).created_at) / 1000
    return { name, createdAt: at, expiresAt: NEVER }
  })
  const config = { 'user.stapes.replica-of': more.of ?? OF }
  const sighting = {
    ...{ config, own: Object.keys(config) },
    snapshots: snapshots.map(({ name, createdAt = 0 }): [string, number] => [name, createdAt]),
  }
  return { details: details.value, target: { sighting, status: more.status ?? 'Stopped', snapshots } }
}

const BEFORE = sides([A, B, C], [A, B])

test.each<[string, Sides, string | null]>([
  ['nothing', sides([A, B, C], [A, B]), null],
  ['one more on the source', sides([A, B, C, D], [A, B]), null],
  ['one less on the source, which the copy has not', sides([A, B], [A, B]), null],
  ['one less on the copy, by its own expiry', sides([A, B, C], [B]), null],
  ['one less on the source, which the copy has', sides([B, C], [A, B]), `${A} was removed from`],
  ['one less on both', sides([B, C], [B]), null],
  ['one made anew on the copy', sides([A, B, C], [A, B, D]), `${D} was made on`],
  ['the copy, to a stranger’s', sides([A, B, C], [A, B], { of: 'main/default/db' }), 'it is no copy of'],
  ['the copy, which runs now', sides([A, B, C], [A, B], { status: 'Running' }), 'the copy is Running'],
  ['the copy, which is gone', sides([A, B, C], null), 'the copy is gone'],
])('what has changed: %s', (_, now, why) => {
  const said = againstChange(copyStep('web1', { first: false }), BEFORE, now)
  if (why === null) expect(said).toBeNull()
  else expect(said).toContain(why)
})
