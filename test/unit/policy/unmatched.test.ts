import { expect, test } from 'vitest'
import { coverInstances } from '../../../shared/policy/coverage.ts'
import { configOf, recordOf, replyOf } from './instances.ts'

const main = replyOf(
  [recordOf('web1'), recordOf('web2', { project: 'shop', own: { 'user.stapes.policy': 'keyed' } })],
  ['default', 'shop'],
)
const silent = { ok: false as const, error: { code: 'unreachable' as const, message: 'no route' } }

const rows: [name: string, select: object, more: object, warnings: string[], remarks: string[]][] = [
  ['a name that is there', { instances: ['web1'] }, {}, [], []],
  [
    'a name that is not there, beside one that is',
    { instances: ['web1', 'wbe2'], projects: ['*'] },
    {},
    [
      'there is no instance "wbe2" on main in project *, or the relay\'s certificate may not see it; did you mean "web2"?',
    ],
    [],
  ],
  [
    'a name that is in another project only',
    { instances: ['web*', 'web2'] },
    {},
    [expect.stringContaining('there is no instance "web2" on main in project default')],
    [],
  ],
  [
    'a glob that matches nothing, beside one that does',
    { instances: ['web*', 'ci-*'] },
    {},
    [],
    ['policy daily: no instance matches "ci-*" on main in project default'],
  ],
  [
    'nothing at all',
    { instances: ['db*'] },
    {},
    ['it matches no instance (db* on main in project default), so it backs up nothing'],
    [],
  ],
  [
    'one name, and that is mistyped',
    { instances: ['wbe1'] },
    {},
    [
      'it matches no instance (wbe1 on main in project default), so it backs up nothing; did you mean "web1"?',
    ],
    [],
  ],
  ['nothing while it is paused', { instances: ['db*'] }, { paused: true }, [], []],
  [
    'what may be on a remote that gives no answer',
    { instances: ['wbe2'], remotes: ['main', 'far'] },
    {},
    [],
    [],
  ],
  [
    'what may be in a project that is not there',
    { instances: ['wbe2'], projects: ['shop', 'x'] },
    {},
    [],
    [],
  ],
  ['what it leaves out', { instances: ['web1'], exclude: ['web1'] }, {}, [], []],
]

test.each(rows)('of a policy that names %s', (_, select, more, warnings, remarks) => {
  const config = configOf({ daily: { select, ...more }, keyed: { select: { instances: ['none'] } } })
  const [daily, keyed] = coverInstances(config, { main, far: silent })
  expect(daily?.warnings).toEqual(warnings.map((reason) => ({ about: 'policy daily', reason })))
  expect(daily?.remarks).toEqual(remarks)
  // That one is given its instances by their keys.
  expect(keyed?.warnings).toEqual([])
})
