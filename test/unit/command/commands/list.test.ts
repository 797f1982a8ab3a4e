import { describe, expect, test } from 'vitest'
import { list } from '../../../../shared/command/commands/list.ts'
import { worldOf } from '../../../../shared/plan/world.ts'
import { coverInstances } from '../../../../shared/policy/coverage.ts'
import type { JobReport } from '../../../../shared/relay/protocol.ts'
import { detailsLength } from '../../../chat/message-text.ts'
import { parseWorld, SERVER } from '../../plan/world-text.ts'
import { configOf, recordOf, replyOf } from '../../policy/instances.ts'
import { answer, ledgerOf, nightly, policyLedger, said, seenOf, worldSeen } from './seen.ts'

const seconds = (date: string): number => new Date(date).getTime() / 1000
const NOV21 = `nightly-20261121T0300Z@${seconds('2026-11-21T03:00:00Z')}`

const replica = (of: string, verified: string): string =>
  `user.stapes.replica-of=main/default/${of} user.stapes.replica-of.server=${SERVER} user.stapes.verified=${verified}`

const world = (jobs: JobReport[] = []) =>
  parseWorld(
    `
    main:default/web1 running user.stapes.hold.before-upgrade=release
      before-upgrade @2026-11-10T08:00:00Z
      nightly-20261121T0300Z
      nightly-20261122T0300Z
      old-20261121T0300Z
    main:default/db1 running
      ?
    main:default/new1 running
    main:default/tmp1 stopped user.stapes.exclude=true
    backup:default/web1 stopped ${replica('web1', NOV21)}
      nightly-20261121T0300Z
      nightly-20261122T0300Z
    backup:default/gone1 stopped ${replica('gone1', NOV21)}
      nightly-20261121T0300Z
    `,
    jobs,
  )

describe('list', () => {
  test('gives for each instance its newest snapshot, and what is verified on its copy', () => {
    expect(said(list, worldSeen(world()))).toMatchInlineSnapshot(`
      "bad, to the caller: 3 covered instances, 1 without a complete snapshot, 1 that could not be listed
        \`main/default/db1\`: not listed (its pool gave no answer); \`backup\` nothing verified yet
        \`main/default/new1\`: no complete snapshot; \`backup\` nothing verified yet
        \`main/default/web1\`: 4 snapshots, newest 9 h old; \`backup\` verified 33 h old
        \`backup/default/gone1\` is a copy of \`main/default/gone1\`, which was not found: verified 33 h old
        Not covered by any policy: 1, \`main/default/tmp1\`"
    `)
  })

  test('has covered volumes among them, and none of the others', () => {
    const record = (name: string) =>
      recordOf(name, {
        type: 'volume',
        status: '',
        snapshots: [['nightly-20261122T0300Z', seconds('2026-11-22T03:00:00Z')]],
      })
    const remotes = { main: replyOf([record('default:data'), record('default:other')]) }
    const config = configOf({ nightly: { schedule: '0 3 * * *', select: { volumes: ['default:data'] } } })
    const seen = seenOf({
      ...{ config, world: worldOf({ remotes, jobs: [] }), ledger: ledgerOf() },
      coverages: coverInstances(config, remotes),
    })
    expect(said(list, seen)).toMatchInlineSnapshot(`
      "info, to the caller: 1 covered instance
        \`main/default/default:data\`: 1 snapshot, newest 9 h old"
    `)
    expect(said(list, seen, { instance: 'default:data' })).toContain(
      '`main/default/default:data`: 1 snapshot',
    )
  })

  test('tells of copies whose server is down, of one in no policy’s place, and of one that came to another server', () => {
    const apart = parseWorld(`
      main:default/back1 stopped ${replica('back1', NOV21)}
      main:default/web1 running
      backup:default/web1-old stopped ${replica('web1', NOV21)}
        nightly-20261121T0300Z
    `)
    expect(said(list, worldSeen(apart))).toMatchInlineSnapshot(`
      "bad, to the caller: 1 covered instance, 1 without a complete snapshot
        \`main/default/web1\`: no complete snapshot; \`backup\` nothing verified yet
        \`main/default/back1\` has the marks of a copy of itself, so it is not backed up: see \`/backup status\`
        \`backup/default/web1-old\` is a copy of \`main/default/web1\`, which no policy puts there: verified 33 h old"
    `)
    const down = parseWorld(`
      main unreachable
      backup:default/web1 stopped ${replica('web1', NOV21)}
        nightly-20261121T0300Z
    `)
    expect(said(list, worldSeen(down))).toMatchInlineSnapshot(`
      "bad, to the caller: No instance that you may see is covered, and 1 remote gave no answer
        \`main\` gave no answer: main can't be reached
        \`backup/default/web1\` is a copy of \`main/default/web1\`, which can’t be queried now: verified 33 h old"
    `)
  })

  test('gives all snapshots of one instance, and calls verified only what is marked so', () => {
    expect(said(list, worldSeen(world()), { instance: 'web1' })).toMatchInlineSnapshot(`
      "info, to the caller: \`main/default/web1\`: 4 snapshots, newest 9 h old
        \`nightly-20261122T0300Z\`: 9 h old, <2026-11-22 03:00>, by nightly
        \`old-20261121T0300Z\`: 33 h old, <2026-11-21 03:00>, by old, a policy that no longer exists
        \`nightly-20261121T0300Z\`: 33 h old, <2026-11-21 03:00>, by nightly, verified on backup
        \`before-upgrade\`: 12 days old, <2026-11-10 08:00>, not by a policy, held"
    `)
  })

  test('tells of a copy whose source is gone what was verified on it', () => {
    expect(said(list, worldSeen(world()), { instance: 'gone1' })).toMatchInlineSnapshot(`
      "info, to the caller: \`backup/default/gone1\`: 1 verified snapshot, newest 33 h old; it is a copy of \`main/default/gone1\`
        \`nightly-20261121T0300Z\`: 33 h old, <2026-11-21 03:00>, by nightly, verified"
    `)
  })

  test('counts no copy that another server’s instance was copied to', () => {
    const other = parseWorld(`
      main:default/web1 running
        nightly-20261121T0300Z @2026-11-21T03:00:07Z
      backup:default/web1 stopped user.stapes.replica-of=main/default/web1 user.stapes.replica-of.server=${'e'.repeat(64)} user.stapes.verified=${NOV21}
        nightly-20261121T0300Z
    `)
    const text = said(list, worldSeen(other), { instance: 'web1' })
    expect(text).toContain('what is verified there is not known')
    expect(text).not.toContain('verified on')
  })

  test('counts no snapshot that may be partial', () => {
    const partial = ['main/default/web1/nightly-20261122T0300Z']
    const ledger = ledgerOf({ policies: { nightly: { ...policyLedger(), partial } } })
    const text = said(list, worldSeen(world(), { ledger }), { instance: 'web1' })
    expect(text).toContain('3 snapshots, newest 33 h old')
    expect(text).toContain('`nightly-20261122T0300Z` may be partial')
  })

  test('tells of a remote that gave no answer, and takes its instances for neither there nor gone', () => {
    const dark = parseWorld(`
      backup unreachable
      main:default/web1 running
        nightly-20261121T0300Z
    `)
    expect(said(list, worldSeen(dark))).toMatchInlineSnapshot(`
      "bad, to the caller: 1 covered instance, and 1 remote gave no answer
        \`backup\` gave no answer: backup can't be reached
        \`main/default/web1\`: 1 snapshot, newest 33 h old; \`backup\` not known: remote backup: backup can't be reached"
    `)
  })

  test('knows an instance by any of its paths, and says what was perhaps meant', () => {
    for (const instance of ['default/web1', 'main/default/web1'])
      expect(said(list, worldSeen(world()), { instance })).toContain('`main/default/web1`: 4 snapshots')
    expect(said(list, worldSeen(world()), { instance: 'wbe1' })).toContain('Did you mean `web1`?')
  })

  test('names nothing that the asker may not see', () => {
    const maySee = (key: string): boolean => key === 'main/default/new1'
    const text = said(list, worldSeen(world(), { maySee }))
    expect(text).toContain('main/default/new1')
    expect(text).not.toMatch(/web1|db1|tmp1|gone1/)
    expect(said(list, worldSeen(world(), { maySee }), { instance: 'web1' })).toContain(
      'There is no instance `web1`',
    )
  })

  test('says so when nothing is configured or covered', () => {
    expect(said(list, seenOf({ config: null }))).toContain('Nothing is configured yet')
    expect(said(list, worldSeen(world(), { config: { policies: [] } }))).toContain(
      'No instance that you may see is covered',
    )
  })

  test('stays short over 200 instances, and says how many there are more', () => {
    const many = Array.from(
      { length: 200 },
      (_, index) => `main:default/web${index} running\n nightly-20261121T0300Z\n`,
    )
    const seen = worldSeen(parseWorld(many.join('')), {
      config: configOf({ nightly: { ...nightly, copy: { remote: 'backup' } } }),
    })
    const message = answer(list, seen)
    expect(detailsLength(message)).toBeLessThan(2500)
    expect(said(list, seen)).toMatch(/200 covered instances[\s\S]*… and 1\d\d more: /)
  })
})
