/** What `stapes init` proposes. */
import { describe, expect, test } from 'vitest'
import { parseConfig } from '../../../shared/policy/parse.ts'
import { propose, type SeenInstance, type SeenServer } from '../../../shared/setup/propose.ts'

const GB = 1e9

const instance = (name: string, more: Partial<SeenInstance> = {}): SeenInstance => ({
  ...{ project: 'default', name, type: 'container', status: 'Running', pool: 'default' },
  ...{ bytes: GB, volumes: 0, hasOwnSchedule: false },
  ...more,
})

const server = (more: Partial<SeenServer> = {}): SeenServer => ({
  ...{ remote: 'main', projects: ['default'], instances: [instance('web1')] },
  pools: { default: { driver: 'zfs', free: 100 * GB } },
  ...more,
})

const backup = server({ remote: 'backup', instances: [] })

const proposed = (source: SeenServer, target: SeenServer | null = backup) =>
  propose(source, { keep: 'usual', timezone: 'Europe/Berlin', backup: target })

describe('a proposal', () => {
  test('is a valid document: hourly snapshots, daily ones that are copied', () => {
    const { policies, defaults, warnings } = proposed(server())
    const parsed = parseConfig({ defaults, policies })
    expect(parsed).toMatchObject({
      ok: true,
      value: {
        policies: [
          { name: 'hourly', select: { remotes: ['main'], projects: ['default'] }, timezone: 'Europe/Berlin' },
          { name: 'daily', keep: { daily: 7, weekly: 4, monthly: 6 }, copy: { remote: 'backup' } },
        ],
      },
    })
    expect(warnings).toEqual([])
  })

  test('takes none by the hour where each snapshot is a whole copy, and says what stands still', () => {
    const source = server({
      instances: [
        instance('web1'),
        instance('db1', { pool: 'files' }),
        instance('old', { status: 'Stopped' }),
      ],
      pools: { default: { driver: 'lvm', free: null }, files: { driver: 'dir', free: null } },
    })
    const { policies, reasons, warnings } = proposed(source)
    expect(Object.keys(policies)).toEqual(['daily'])
    expect(reasons.join('\n')).toContain(
      'no hourly snapshots: on the driver dir each is a whole copy of the data (db1)',
    )
    expect(warnings).toEqual([
      'while a snapshot is made of web1, it is frozen for a moment, because lvm requires it',
      'while a snapshot is made of db1, it is frozen until dir has copied all of its data',
    ])
  })

  test('covers each project that is seen, and attached volumes', () => {
    const source = server({ projects: ['default', 'shop'], instances: [instance('db1', { volumes: 1 })] })
    expect(proposed(source).policies.daily).toMatchObject({
      select: { projects: ['*'], volumes: ['attached'] },
    })
  })

  test('without a backup server says that snapshots are none', () => {
    const { policies, warnings } = proposed(server(), null)
    expect(policies.daily).not.toHaveProperty('copy')
    expect(warnings).toEqual([expect.stringContaining('they are no backup')])
  })

  test.each([
    [
      'more than is free',
      { bytes: 101 * GB },
      100 * GB,
      'won’t fit: backup has 100 GB free, and the instances use 101 GB',
    ],
    ['of unknown size', { bytes: null }, 100 * GB, 'isn’t known whether the first copies fit'],
    ['with unknown space', { bytes: GB }, null, 'isn’t known how much space is free on backup'],
  ])('warns of first copies %s', (_, more, free, words) => {
    const target = server({ remote: 'backup', pools: { default: { driver: 'zfs', free } } })
    const { warnings } = proposed(server({ instances: [instance('web1', more)] }), target)
    expect(warnings).toEqual([expect.stringContaining(words.replace('’', "'"))])
  })

  test('names whom Incus itself takes snapshots of, and a certificate that sees nobody', () => {
    const own = server({ instances: [instance('web1', { hasOwnSchedule: true })] })
    expect(proposed(own).warnings).toEqual([expect.stringContaining('Incus itself takes snapshots of web1')])
    expect(proposed(server({ instances: [] })).warnings).toEqual([
      expect.stringContaining('main shows no instance'),
    ])
  })
})
