import { describe, expect, test } from 'vitest'
import { instancesOf } from '../../../functions/api/instances.ts'
import { worldOf } from '../../../shared/plan/world.ts'
import { coverInstances } from '../../../shared/policy/coverage.ts'
import type { RemoteReply } from '../../../shared/relay/protocol.ts'
import { SERVER } from '../plan/world-text.ts'
import { configOf, recordOf, replyOf } from '../policy/instances.ts'

const config = configOf({ daily: { copy: { remote: 'backup' } } })
const now = new Date('2026-11-22T12:00:00Z')

/** Of its two snapshots the first is verified. */
const copyOf = (of: string, name: string) =>
  recordOf(name, {
    status: 'Stopped',
    own: {
      'user.stapes.replica-of': of,
      'user.stapes.replica-of.server': SERVER,
      'user.stapes.verified': 'daily-1@100',
    },
    snapshots: [
      ['daily-1', 100],
      ['daily-2', 200],
    ],
  })
const backup = replyOf([copyOf('main/default/web1', 'web1'), copyOf('main/default/old', 'old')])
const silent: RemoteReply = { ok: false, error: { code: 'unreachable', message: 'no route' } }

function shown(replies: Record<string, RemoteReply>) {
  const world = worldOf({ remotes: replies, jobs: [] })
  return instancesOf(coverInstances(config, replies), world, null, now)
}

describe('the instances', () => {
  test('while their server is down, are told by their copies, with what is verified', () => {
    const { instances, otherCopies, problems } = shown({ main: silent, backup })
    expect(instances).toEqual([])
    expect(otherCopies).toEqual(
      ['old', 'web1'].map((name) => ({
        target: `backup/default/${name}`,
        source: `main/default/${name}`,
        sourceIs: 'unreadable',
        status: 'Stopped',
        verified: ['daily-1'],
        unverified: ['daily-2'],
      })),
    )
    expect(problems).toEqual([{ about: 'remote:main', reason: 'no route' }])
  })

  test('that are gone, or renamed, are told by their copies too, and the others once', () => {
    const { instances, otherCopies } = shown({ main: replyOf([recordOf('web1')]), backup })
    expect(instances.map(({ copies }) => copies.map(({ target }) => target))).toEqual([
      ['backup/default/web1'],
    ])
    expect(otherCopies).toMatchObject([{ target: 'backup/default/old', sourceIs: 'gone' }])
  })

  test('have no copy where that of another one stands, though its snapshots have the same names', () => {
    const taken = replyOf([copyOf('main/other/web1', 'web1')])
    const { instances, otherCopies } = shown({ main: replyOf([recordOf('web1')]), backup: taken })
    expect(instances[0]?.copies).toMatchObject([
      { verified: [], unverified: [], problem: expect.stringContaining('the copy of main/other/web1') },
    ])
    expect(otherCopies).toMatchObject([{ source: 'main/other/web1', verified: ['daily-1'] }])
  })

  test('call a copy that could not be listed unknown, and not empty', () => {
    const unlisted = { ...copyOf('main/default/web1', 'web1'), snapshots: null, problem: 'pool away' }
    const { otherCopies } = shown({ main: silent, backup: replyOf([unlisted]) })
    expect(otherCopies).toMatchObject([{ target: 'backup/default/web1', verified: [], problem: 'pool away' }])
  })
})
