/** Another instance under the source's name, whose snapshots have the same names and seconds: its copy is none of it. */

import { expect, test } from 'vitest'
import type { Plan } from '../../../../shared/plan/plan.ts'
import type { CopyAction } from '../../../../shared/work/copy/action.ts'
import { copyJob } from '../../../../shared/work/copy/steps.ts'
import type { Action } from '../../../../shared/work/kinds.ts'
import { copiesOf } from '../../../long-work.ts'
import { rowOf, runCopyJob, type Scene } from '../../relay/copying.ts'
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

test('the copy is marked with which instance it is of, from its first transfer on', async () => {
  const instance = { config: { 'volatile.uuid': 'U' } }
  const source = { instance, snapshots: [rowOf(OLD), rowOf(NEW)] }
  const sent = async (text: string, target: Scene['target']): Promise<string> => {
    const { job } = copyJob(copyOf(planFor(text)) as CopyAction)
    return JSON.stringify((await runCopyJob(job, { source, target, now: NOW.getTime() })).sent)
  }
  const config = {
    'user.stapes.replica-of': 'main/default/web1',
    'user.stapes.verified': `${OLD}@${Date.parse('2026-11-21T03:00:00Z') / 1000}`,
  }
  expect(await sent(world('', ''), { instance: { config }, snapshots: [rowOf(OLD)] })).toContain(
    `"${UUID}":"U"`,
  )
  expect(await sent(`main:default/web1 running\n${NEW}\nbackup empty`, null)).toContain(`"${UUID}":"U"`)
})
