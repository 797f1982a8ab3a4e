/** What a transfer asks of Incus, step by step. */
import { beforeAll, describe, expect, test } from 'vitest'
import type { CopyAction, VerifyAction } from '../../../../shared/work/copy/action.ts'
import { copyJob, verifyJob } from '../../../../shared/work/copy/steps.ts'
import { NEVER, rowOf, runCopyJob, type Scene, type Sent } from '../../relay/copying.ts'
import { copying, copyOf, NOW, planFor, replica, report, started, verifyOf } from './copy-world.ts'

const CONFIG = { 'security.protection.delete': 'true', 'snapshots.schedule': '@daily', 'limits.cpu': '2' }
const ROOT = { type: 'disk', path: '/', pool: 'fast', size: '10GiB' }
const SOURCE: Scene['source'] = {
  instance: {
    config: CONFIG,
    devices: { eth0: { type: 'nic' } },
    expanded_devices: { root: ROOT },
  },
  snapshots: [rowOf('50%', '2026-11-23T00:00:00Z')],
}

const planned = (world: string): CopyAction => {
  const action = copyOf(planFor(world))
  if (action === undefined) throw new Error('it should start')
  return action
}
const FIRST = 'main:default/web1 running\ndaily-20261122T0300Z\nbackup empty'
const REFRESH = `
  main:default/web1 running
    daily-20261120T0300Z
    daily-20261121T0300Z
    daily-20261122T0300Z
  backup:default/web1 stopped ${replica('daily-20261120T0300Z', 'daily-20261121T0300Z')}
    daily-20261120T0300Z
`
const OF = { 'user.stapes.replica-of': 'main/default/web1' }
const verified = (date: string): string =>
  `daily-${date.slice(0, 10).replaceAll('-', '')}T0300Z@${Date.parse(date) / 1000}`
const sentFor = async (action: CopyAction, scene: Partial<Scene> = {}): Promise<Sent[]> =>
  (await runCopyJob(copyJob(action).job, { source: SOURCE, target: null, now: NOW.getTime(), ...scene })).sent
const bodyOf = (steps: Sent[]): Record<string, Record<string, unknown>> =>
  steps.find(({ body }) => body?.architecture !== undefined)?.body as Record<string, Record<string, unknown>>

test('a first copy has what its policy says, and nothing by which it would reach its host or act by itself', async () => {
  const given = {
    profiles: ['backups'],
    config: {
      'limits.cpu': '1',
      'raw.lxc': 'x',
      'security.privileged': 'true',
      'snapshots.schedule': '@daily',
    },
    devices: {
      eth0: { type: 'none' },
      host: { type: 'disk', source: '/', path: '/host' },
      root: { type: 'none' },
    },
  }
  const body = bodyOf(await sentFor({ ...planned(FIRST), given }))
  expect(body.profiles).toEqual(['backups'])
  expect(body.config).toMatchObject({ 'limits.cpu': '1', 'snapshots.schedule': '@never' })
  expect(Object.keys(body.config ?? {})).not.toContain('raw.lxc')
  expect(Object.keys(body.config ?? {})).not.toContain('security.privileged')
  expect(body.devices).toEqual({ eth0: { type: 'none' } })
})

test('a refresh takes none of it', async () => {
  const action = planned(REFRESH)
  expect(action.given).toBeUndefined()
})

describe('a first copy', () => {
  let body: Record<string, Record<string, unknown>>
  beforeAll(async () => {
    body = bodyOf(await sentFor(planned(FIRST)))
  })

  test('is created as unverified, as ours, and as nothing that acts by itself', () => {
    expect(body.config).toMatchObject({
      'user.stapes.replica-of': 'main/default/web1',
      'user.stapes.copying': 'daily-20261122T0300Z#0 0',
      'user.stapes.owner': '1790000000000.n.k',
      'user.stapes.verified': '',
      'snapshots.schedule': '@never',
      'limits.cpu': '2',
    })
  })

  test('is not protected from deletion: it may have to be started over', () => {
    expect(body.config).not.toHaveProperty('security.protection.delete')
  })
})

describe('what could reach the host of the copy', () => {
  const instance = {
    ...SOURCE.instance,
    config: {
      'raw.lxc': 'lxc.hook.pre-start = /bin/sh',
      'security.privileged': 'true',
      'security.nesting': 'true',
    },
    devices: {
      eth0: { type: 'nic' },
      host: { type: 'disk', path: '/mnt', source: '/' },
      gpu: { type: 'gpu' },
    },
  }

  test('is left out of it, and it says so', async () => {
    const body = bodyOf(await sentFor(planned(FIRST), { source: { ...SOURCE, instance } }))
    expect(body.devices).toEqual({ eth0: { type: 'nic' } })
    expect(body.config).toMatchObject({
      'security.nesting': 'true',
      'user.stapes.left-out': 'raw.lxc security.privileged device:host device:gpu',
    })
    expect(body.config).not.toHaveProperty('raw.lxc')
    expect(body.config).not.toHaveProperty('security.privileged')
  })
})

describe('a refresh', () => {
  const source = {
    ...SOURCE,
    snapshots: ['daily-20261120T0300Z', 'daily-20261121T0300Z', 'daily-20261122T0300Z'].map((name) =>
      rowOf(name),
    ),
  }
  const marked = {
    ...OF,
    'user.stapes.verified': ['20', '21'].map((day) => verified(`2026-11-${day}T03:00:00Z`)).join(' '),
  }
  const refreshOf = (names: string[]): Promise<Sent[]> =>
    sentFor(planned(REFRESH), {
      source,
      target: {
        instance: { config: marked },
        snapshots: names.map((name) => rowOf(name, '2027-01-01T00:00:00Z')),
      },
    })
  let steps: Sent[]
  beforeAll(async () => {
    steps = await refreshOf(['daily-20261120T0300Z'])
  })

  test('names the pool that the copy is in, and keeps what else is said of the root disk', () => {
    expect(bodyOf(steps).devices?.root).toEqual({ type: 'disk', path: '/', pool: 'default', size: '10GiB' })
  })

  test('marks the copy first, with all that is known to be verified', () => {
    const [mark] = steps
    expect(mark).toMatchObject({ method: 'PATCH', path: '/1.0/instances/web1?project=default' })
    expect(mark?.body?.config).toMatchObject({
      'user.stapes.copying': expect.stringMatching(/^daily\S+ \d+$/),
    })
  })

  test('lifts the expiry from what must last on the copy', () => {
    expect(steps).toContainEqual(
      expect.objectContaining({
        path: '/1.0/instances/web1/snapshots/daily-20261120T0300Z?project=default',
        body: { expires_at: NEVER },
      }),
    )
  })

  test('asks nothing of a snapshot whose name no request can hold', () => {
    expect(JSON.stringify(steps)).not.toContain('50%')
  })

  test('verifies anew what neither listing of the copy has any more', async () => {
    const markedBy = async (names: string[]): Promise<string[]> => {
      const [mark] = await refreshOf(names)
      const config = (mark?.body?.config ?? {}) as Record<string, string>
      const text = config['user.stapes.verified'] ?? ''
      return text.split(' ').map((entry) => entry.split('@')[0] ?? '')
    }
    expect(await markedBy(['daily-20261120T0300Z'])).toEqual(['daily-20261120T0300Z'])
    expect(await markedBy(['daily-20261120T0300Z', 'daily-20261121T0300Z'])).toEqual([
      'daily-20261120T0300Z',
      'daily-20261121T0300Z',
    ])
  })
})

describe('a verification', () => {
  const landed = `
    main:default/web1 running
      daily-20261121T0300Z
      daily-20261122T0300Z
    backup:default/web1 stopped ${replica('daily-20261121T0300Z')} ${copying('2026-11-21T03:00Z')}
      daily-20261121T0300Z
      daily-20261122T0300Z
  `
  const action = verifyOf(planFor(landed, { copy: started, jobs: [report('done')] }))
  /** The marks that the relay sets for it, after it has seen the transfer end. */
  const configs = async (one: VerifyAction): Promise<unknown[]> => {
    const pairs = ['daily-20261121T0300Z', 'daily-20261122T0300Z'].map((name) => rowOf(name))
    const config = { ...OF, 'user.stapes.verified': one.marks.map(([name, at]) => `${name}@${at}`).join(' ') }
    const { sent } = await runCopyJob(verifyJob(one).job, {
      source: { snapshots: pairs },
      target: { instance: { config }, snapshots: pairs },
    })
    return sent.flatMap(({ body }) => (body?.config === undefined ? [] : [body.config]))
  }

  test('ends the mark of the transfer', async () => {
    expect(action === undefined ? [] : await configs(action)).toEqual([
      expect.objectContaining({ 'user.stapes.copying': '', 'user.stapes.owner': '1790000000000.n.k' }),
    ])
  })

  test('protects the copy of a protected source', async () => {
    expect(action?.protect).toBe(false)
    expect(action === undefined ? [] : (await configs({ ...action, protect: true }))[1]).toEqual({
      'security.protection.delete': 'true',
    })
  })
})
