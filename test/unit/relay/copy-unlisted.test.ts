/** Snapshots that a copy's own list has and its pool's had not: no refresh begins over them. */
import { expect, test } from 'vitest'
import { refuseUnlisted } from '../../../relay/engine/steps/copy-unlisted.ts'
import type { Expiring } from '../../../shared/incus/source.ts'
import type { CopyAction } from '../../../shared/work/copy/action.ts'
import { copying, copyOf, planFor, replica, seconds } from '../work/copy/copy-world.ts'

const OLD = 'daily-20261121T0300Z'
const NEW = 'daily-20261122T0300Z'

const one = (name: string, date: string): Expiring => ({
  name,
  expiresAt: '0001-01-01T00:00:00Z',
  createdAt: seconds(date),
})
const source = [one(OLD, '2026-11-21T03:00Z'), one(NEW, '2026-11-22T03:00Z')]

function refusal(marks: string, ...more: Expiring[]): string | null {
  const action = copyOf(
    planFor(`
      main:default/web1 running
        ${OLD}
        ${NEW}
      backup:default/web1 stopped ${marks}
        ${OLD}
    `),
  )
  return refuseUnlisted(action as CopyAction, source, [one(OLD, '2026-11-21T03:00Z'), ...more])
}

test('a snapshot that no transfer brought stops the refresh, and is told with both causes', () => {
  const why = refusal(replica(OLD), one('mine', '2026-11-22T03:05Z'))
  expect(why).toMatch(/brought: mine\. .*copy each.*"incus snapshot delete web1 <name>"/)
  expect(refusal(replica(OLD), one(NEW, '2026-11-22T03:00Z'))).toContain(NEW)
})

test('what an earlier transfer brought and nobody verified does not', () => {
  const unfinished = `${replica(OLD)} ${copying('2026-11-21T03:00Z', 'earlier')}`
  expect(refusal(unfinished, one(NEW, '2026-11-22T03:00Z'))).toBeNull()
  expect(refusal(unfinished, one('mine', '2026-11-22T03:05Z'))).toContain('mine')
  const { createdAt: _, ...undated } = one(NEW, '2026-11-22T03:00Z')
  expect(refusal(unfinished, undated)).toContain(NEW)
})

test('what the refresh before was removing, and the source no longer has, does not', () => {
  const gone = 'daily-20261120T0300Z'
  const torn = one(gone, '2026-11-20T03:00Z')
  const unfinished = copying('2026-11-21T03:00Z', 'earlier')
  expect(refusal(`${replica(gone, OLD)} ${unfinished}`, torn)).toBeNull()
  expect(refusal(replica(gone, OLD), torn)).toContain(gone)
  expect(refusal(`${replica(OLD)} ${unfinished}`, torn)).toContain(gone)
})

test('lists that agree do not', () => {
  expect(refusal(replica(OLD))).toBeNull()
})
