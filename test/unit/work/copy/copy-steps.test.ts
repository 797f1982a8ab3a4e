/** What a transfer asks of Incus, step by step. */
import { describe, expect, test } from 'vitest'
import type { Expiring, SourceDetails } from '../../../../shared/incus/source.ts'
import type { CopyAction, VerifyAction } from '../../../../shared/work/copy/action.ts'
import { copySteps, verifyJob } from '../../../../shared/work/copy/steps.ts'
import { copying, copyOf, NOW, planFor, replica, report, started, verifyOf } from './copy-world.ts'

const NEVER = '0001-01-01T00:00:00Z'

const details: SourceDetails = {
  architecture: 'x86_64',
  type: 'container',
  description: '',
  profiles: ['default'],
  config: { 'security.protection.delete': 'true', 'snapshots.schedule': '@daily', 'limits.cpu': '2' },
  devices: { eth0: { type: 'nic' } },
  expanded: {},
  rootDevice: 'root',
  root: { type: 'disk', path: '/', pool: 'fast', size: '10GiB' },
  snapshots: [{ name: '50%', expiresAt: '2026-11-23T00:00:00Z' }],
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
const listed = (...names: string[]): Expiring[] => names.map((name) => ({ name, expiresAt: NEVER }))
type Sent = { method: string; path: string; body?: Record<string, unknown> }
const stepsOf = (action: CopyAction, onTarget: Expiring[] = []): Sent[] =>
  copySteps(action, details, onTarget, NOW).steps as Sent[]
const bodyOf = (steps: Sent[]): Record<string, Record<string, unknown>> =>
  steps.find(({ body }) => body?.architecture !== undefined)?.body as Record<string, Record<string, unknown>>

describe('a first copy', () => {
  const body = bodyOf(stepsOf(planned(FIRST)))
  test('is born as unverified, as ours, and as nothing that acts by itself', () => {
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

describe('a refresh', () => {
  const onTarget = [{ name: 'daily-20261120T0300Z', expiresAt: '2027-01-01T00:00:00Z' }]
  const steps = stepsOf(planned(REFRESH), onTarget)
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

  test('verifies anew what neither listing of the copy has any more', () => {
    const verified = (names: Expiring[]) =>
      copySteps(planned(REFRESH), details, names, NOW).action.verified.map(([name]) => name)
    expect(verified(listed('daily-20261120T0300Z'))).toEqual(['daily-20261120T0300Z'])
    expect(verified(listed('daily-20261120T0300Z', 'daily-20261121T0300Z'))).toEqual([
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
  const configs = (one: VerifyAction): unknown[] =>
    verifyJob(one).job.steps.flatMap(({ body }) => {
      const config = (body as { config?: unknown } | undefined)?.config
      return config === undefined ? [] : [config]
    })

  test('ends the mark of the transfer', () => {
    expect(action === undefined ? [] : configs(action)).toEqual([
      expect.objectContaining({ 'user.stapes.copying': '', 'user.stapes.owner': '1790000000000.n.k' }),
    ])
  })

  test('protects the copy of a protected source', () => {
    expect(action?.protect).toBe(false)
    expect(action === undefined ? [] : configs({ ...action, protect: true })[1]).toEqual({
      'security.protection.delete': 'true',
    })
  })
})
