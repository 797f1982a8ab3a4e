/** Another instance under the source's name, whose snapshots have the same names and seconds: its copy is none of it. */

import { expect, test } from 'vitest'
import type { SourceDetails } from '../../../../shared/incus/source.ts'
import type { Plan } from '../../../../shared/plan/plan.ts'
import type { CopyAction } from '../../../../shared/work/copy/action.ts'
import { copySteps } from '../../../../shared/work/copy/steps.ts'
import type { Action } from '../../../../shared/work/kinds.ts'
import { copiesOf } from '../../../long-work.ts'
import { copying, copyOf, NOW, planFor, replica, report, started, verifyOf } from './copy-world.ts'

const OLD = 'daily-20261121T0300Z'
const NEW = 'daily-20261122T0300Z'
const UUID = 'user.stapes.replica-of.uuid'

/** The source is U or another one; the copy was made of U, up to the older snapshot. */
const world = (source: string, marks = `${UUID}=U`, more = ''): string => `
  main:default/web1 running ${source}
    ${OLD}
    ${NEW}
  backup:default/web1 stopped ${replica(OLD)} ${marks}
    ${OLD}
    ${more}
`
const saidIn = (plan: Plan<Action>): string => Object.values(copiesOf(plan))[0]?.reason ?? ''

test('one that is older than the newest common snapshot took that itself: nothing is copied onto the copy, and that is told', () => {
  const plan = planFor(world('uuid=V@2026-11-01T00:00Z'))
  expect(copyOf(plan)).toBeUndefined()
  expect(saidIn(plan)).toMatch(
    /another instance than the one that is called web1 now.*"incus rename web1 web1-kept"/,
  )
  expect(saidIn(plan)).toContain(`set ${UUID}=V on the copy`)
})

test('one that is younger was brought back with its snapshots, and is copied on', () => {
  expect(copyOf(planFor(world('uuid=V@2026-11-22T02:00Z')))).toBeDefined()
})

test('the same one is copied on, and one of which nobody knows which it is', () => {
  expect(copyOf(planFor(world('uuid=U@2026-11-01T00:00Z')))).toBeDefined()
  expect(copyOf(planFor(world('uuid=V@2026-11-01T00:00Z', '')))).toBeDefined()
  expect(copyOf(planFor(world('')))).toBeDefined()
})

test('what was sent of one is not verified for another', () => {
  const marks = `${UUID}=U ${copying('2026-11-21T03:00Z')}`
  const given = { copy: started, jobs: [report('done')] }
  expect(verifyOf(planFor(world('uuid=U@2026-11-01T00:00Z', marks, NEW), given))).toBeDefined()
  const plan = planFor(world('uuid=V@2026-11-01T00:00Z', marks, NEW), given)
  expect(verifyOf(plan)).toBeUndefined()
  expect(saidIn(plan)).toContain('another instance')
})

test('the copy is marked with which instance it is of, from its first transfer on', () => {
  const details: SourceDetails = {
    ...{ architecture: 'x86_64', type: 'container', description: '', profiles: ['default'] },
    ...{ config: { 'volatile.uuid': 'U' }, expanded: {}, devices: {}, rootDevice: 'root', snapshots: [] },
    root: { type: 'disk', path: '/', pool: 'default' },
  }
  const sent = (text: string): string =>
    JSON.stringify(copySteps(copyOf(planFor(text)) as CopyAction, details, [], NOW).steps)
  expect(sent(world('', ''))).toContain(`"${UUID}":"U"`)
  expect(sent(`main:default/web1 running\n${NEW}\nbackup empty`)).toContain(`"${UUID}":"U"`)
})
