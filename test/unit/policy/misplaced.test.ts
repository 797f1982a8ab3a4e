import { describe, expect, test } from 'vitest'
import { coverInstances } from '../../../shared/policy/coverage.ts'
import { fitsPlace } from '../../../shared/policy/misplaced.ts'
import type { RemoteReply } from '../../../shared/relay/protocol.ts'
import { configOf, recordOf, replyOf } from './instances.ts'

const config = configOf({
  daily: { copy: { remote: 'backup' } },
  vault: { select: { remotes: ['backup'], projects: ['*'] } },
})

const pooled = configOf({ daily: { copy: { remote: 'backup', pool: 'big' } } })

const marks = (of: string) => ({
  'user.stapes.replica-of': of,
  'user.stapes.replica-of.server': 'f',
  'user.stapes.verified': 'daily-20261122T0300Z@1',
})

function toldOf(replies: Record<string, RemoteReply>, by = config): { told: string[]; skipped: string[] } {
  const coverages = coverInstances(by, { main: replyOf([recordOf('db1')]), ...replies })
  const told = coverages.flatMap(({ problems, warnings }) => [...problems, ...warnings])
  return {
    told: [...new Set(told.map(({ about, reason }) => `${about}: ${reason}`))],
    skipped: coverages.flatMap(({ skipped }) => skipped.map(({ key }) => key)),
  }
}

describe('the mark of a copy', () => {
  test.each<[string, string, string, boolean]>([
    ['fits where a policy puts that copy', 'backup/default/web1', 'main/default/web1', true],
    ['fits there also when its source is gone', 'backup/shop/gone', 'main/shop/gone', true],
    ['is none of the instance itself', 'main/default/web1', 'main/default/web1', false],
    [
      'of a volume fits in the pool that the policy names',
      'backup/default/big:db',
      'main/default/fast:db',
      true,
    ],
    ['of a volume doesn’t fit in another pool', 'backup/default/fast:db', 'main/default/fast:db', false],
    ['of an instance fits no volume', 'backup/default/big:web1', 'main/default/web1', false],
    ['doesn’t fit back on the source', 'main/default/new', 'main/default/web1', false],
    ['doesn’t fit under another name', 'backup/default/web1-old', 'main/default/web1', false],
    ['doesn’t fit in another project', 'backup/other/web1', 'main/default/web1', false],
    ['doesn’t fit of a remote that no policy copies from', 'backup/default/web1', 'old/default/web1', false],
    ['doesn’t fit if it is no key', 'backup/default/web1', 'web1', false],
  ])('%s', (_, place, of, fits) => {
    const [remote = '', project = '', instance = ''] = place.split('/')
    expect(fitsPlace({ remote, project, instance }, of, pooled.policies)).toBe(fits)
  })
})

describe('an instance with the marks of a copy', () => {
  test('that was copied back is the source again, and told of what is left, with the commands that remove it', () => {
    const left = { 'user.stapes.replica-of.server': 'f' }
    const { told, skipped } = toldOf({ main: replyOf([recordOf('web1', { own: left })]) })
    expect(told).toEqual([
      'main/default/web1: it was copied back from its copy and is backed up again, but it still has what stapes sets on a copy, as boot.autostart=false: run on main: incus config unset web1 user.stapes.replica-of; incus config unset web1 user.stapes.verified; incus config unset web1 user.stapes.replica-of.server; incus config unset web1 boot.autostart; incus config unset web1 snapshots.schedule',
    ])
    expect(skipped).toEqual([])
  })

  test('of itself, on another server, is told of, with the commands that make it an instance of its own', () => {
    const { told, skipped } = toldOf({
      main: replyOf([recordOf('web1', { own: marks('main/default/web1') })]),
    })
    expect(told).toEqual([
      'main/default/web1: it has the marks of a copy of itself, made on another server, so stapes treats it as a copy and does NOT back it up. If it is an independent instance now, run on main: incus config unset web1 user.stapes.replica-of; incus config unset web1 user.stapes.replica-of.server; incus config unset web1 user.stapes.verified; incus config unset web1 boot.autostart; incus config unset web1 snapshots.schedule. If it needs no backups: incus config set web1 user.stapes.exclude=true',
    ])
    expect(skipped).toEqual([])
  })

  test('that was renamed on the backup server is told of, where a policy would take it', () => {
    const old = recordOf('web1-old', { project: 'shop', own: marks('main/default/web1') })
    const { told } = toldOf({ backup: replyOf([old], ['default', 'shop']) })
    expect(told).toEqual([
      expect.stringMatching(
        /^backup\/shop\/web1-old: it has the marks of a copy of main\/default\/web1, which no policy puts here, .*unset web1-old --project shop user\.stapes\.replica-of;/,
      ),
    ])
  })

  test('where a policy puts it is a copy, and nothing is told', () => {
    const copy = recordOf('web1', { status: 'Stopped', own: marks('main/default/web1') })
    expect(toldOf({ backup: replyOf([copy]) })).toEqual({ told: [], skipped: ['backup/default/web1'] })
  })

  test('that runs there is told of: it took over, or somebody tries it', () => {
    const copy = recordOf('web1', { status: 'Running', own: marks('main/default/web1') })
    expect(toldOf({ backup: replyOf([copy]) }).told).toEqual([
      expect.stringMatching(
        /^backup\/default\/web1: it is running .*neither refreshed nor backed up\. If it took over, run on backup: .*If it did not, on backup: incus stop web1$/,
      ),
    ])
  })

  test('that runs where no policy reaches is told what it needs besides, under another name too', () => {
    const alone = configOf({ daily: { copy: { remote: 'backup' } } })
    for (const name of ['web1', 'web1-live']) {
      const copy = recordOf(name, { status: 'Running', own: marks('main/default/web1') })
      expect(toldOf({ backup: replyOf([copy]) }, alone).told).toEqual([
        expect.stringMatching(
          /it is running .* snapshots\.schedule; then select it in a policy of stapes\.jsonc, since none covers it on backup\. If it did not/,
        ),
      ])
    }
  })

  test('that runs under another name where a policy reaches is told of once', () => {
    const copy = recordOf('web1-live', { status: 'Running', own: marks('main/default/web1') })
    expect(toldOf({ backup: replyOf([copy]) }).told).toEqual([
      expect.stringMatching(/^backup\/default\/web1-live: it has the marks of a copy of/),
    ])
  })

  test('from a profile is no copy, and is told to be left out for it', () => {
    const { told } = toldOf({ main: replyOf([recordOf('web1', { profile: marks('main/default/x') })]) })
    expect(told[0]).toMatch(
      /^main\/default\/web1: a profile sets user\.stapes\.replica-of on it, .*NOT back it up/,
    )
  })

  test('that its owner excludes is left in peace', () => {
    const own = { ...marks('main/default/web1'), 'user.stapes.exclude': 'true' }
    expect(toldOf({ main: replyOf([recordOf('web1', { own }), recordOf('db1')]) }).told).toEqual([])
  })
})

describe('a volume with the marks of a copy', () => {
  const volume = (name: string, of: string, users: string[] = []) =>
    recordOf(name, { type: 'volume', status: '', pool: 'big', own: marks(of), users })
  const by = configOf({
    daily: { copy: { remote: 'backup', pool: 'big' }, select: { instances: [], volumes: ['fast:*'] } },
    vault: { select: { remotes: ['backup'], instances: [], volumes: ['*:*'] } },
  })

  const main = replyOf([recordOf('fast:db', { type: 'volume', status: '', pool: 'fast' })])

  test('is a copy where a policy puts it, and nothing is told', () => {
    const copy = volume('big:db', 'main/default/fast:db')
    expect(toldOf({ main, backup: replyOf([copy]) }, by)).toEqual({
      told: [],
      skipped: ['backup/default/big:db'],
    })
  })

  test('that somebody has attached is told of, with the commands that make it a volume of its own', () => {
    const copy = volume('big:db', 'main/default/fast:db', ['default/web'])
    expect(toldOf({ main, backup: replyOf([copy]) }, by).told).toEqual([
      expect.stringMatching(
        /^backup\/default\/big:db: it is attached to backup\/default\/web and marked as the copy of main\/default\/fast:db, .*run on backup: incus storage volume unset big db user\.stapes\.replica-of; .*user\.stapes\.verified\. If it did not, detach it there$/,
      ),
    ])
  })

  test('that was renamed there is told of, without what only instances have', () => {
    const { told } = toldOf({ main, backup: replyOf([volume('big:db-kept', 'main/default/fast:db')]) }, by)
    expect(told).toEqual([expect.stringContaining('of main/default/fast:db, which no policy puts here')])
    expect(told[0]).toContain('incus storage volume set big db-kept user.stapes.exclude=true')
    expect(told[0]).not.toContain('boot.autostart')
  })
})
