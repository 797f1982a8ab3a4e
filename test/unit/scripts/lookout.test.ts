import { expect, test } from 'vitest'
import { createLookout } from '../../../scripts/start/lookout.ts'

const AT = new Date('2026-11-22T03:00:00Z')

test('npm start shows once what is not well, what is new of it, and when all is well again', () => {
  const lookout = createLookout()
  expect(lookout(AT, { health: 'good', warnings: [], promises: [] })).toBeNull()
  const late = 'main gives no answer; next try at 2026-11-22T03:05:00.000Z'
  expect(lookout(AT, { health: 'bad', warnings: [late], promises: [] })).toBe(
    `03:00:00Z  not all is well\n  ! ${late}\n`,
  )
  const later = late.replace('03:05', '03:17')
  expect(lookout(AT, { health: 'bad', warnings: [later], promises: [] })).toBeNull()
  expect(lookout(AT, { health: 'bad', warnings: [later, 'policy a is paused'], promises: [] })).toBe(
    '03:00:00Z  not all is well\n  ! policy a is paused\n',
  )
  expect(lookout(AT, { health: 'warning', warnings: ['policy a is paused'], promises: [] })).toBeNull()
  expect(lookout(AT, { health: 'good', warnings: [], promises: [] })).toBe('03:00:00Z  all is well\n')
  expect(lookout(AT, { health: 'bad', warnings: [late], promises: [] })).toContain(late)
})

test('of many at once it shows some, and how many more there are', () => {
  const warnings = Array.from({ length: 9 }, (_, at) => `web${'x'.repeat(at)} has no snapshot`)
  expect(createLookout()(AT, { health: 'warning', warnings, promises: [] })).toMatch(
    /^03:00:00Z {2}to look at\n( {2}! web.*\n){5} {2}! … and 4 more, see GET \/api\/status\n$/,
  )
})

test('it says nothing of first backups that are still to come', () => {
  const promises = [{ state: 'kept' }, { state: 'pending' }]
  expect(createLookout()(AT, { health: 'warning', warnings: ['a has no snapshot yet'], promises })).toBeNull()
})
