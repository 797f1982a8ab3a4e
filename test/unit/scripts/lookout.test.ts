import { expect, test } from 'vitest'
import { createLookout } from '../../../scripts/start/lookout.ts'
import { withAnswer } from '../../../shared/answered.ts'

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

test('that another instance is not well is news, though its name differs by a number alone', () => {
  const lookout = createLookout()
  const of = (name: string, minutes: number) =>
    `main/default/${name}: its snapshot is ${minutes} minutes late`
  const tell = (warnings: string[]) => lookout(AT, { health: 'bad', warnings, promises: [] })
  expect(tell([of('web1', 5)])).toContain('web1')
  expect(tell([of('web1', 6), of('web2', 1)])).toBe(`03:00:00Z  not all is well\n  ! ${of('web2', 1)}\n`)
  expect(tell([of('web1', 7), of('web2', 2)])).toBeNull()
  expect(tell([of('web2', 3), of('web-3', 1)])).toContain('web-3')
})

test('what is over is told as well, where first backups are still to come', () => {
  const lookout = createLookout()
  const promises = [{ state: 'pending' }]
  const late = 'backup gives no answer'
  expect(lookout(AT, { health: 'bad', warnings: [late, 'a has none yet'], promises })).toContain(late)
  expect(lookout(AT, { health: 'warning', warnings: ['a has none yet'], promises })).toBe(
    '03:00:00Z  that is over; first backups are still to come\n',
  )
  expect(lookout(AT, { health: 'warning', warnings: ['a has none yet'], promises })).toBeNull()
  expect(lookout(AT, { health: 'good', warnings: [], promises: [] })).toBe('03:00:00Z  all is well\n')
})

test('what a server answers otherwise each time is shown once', () => {
  const lookout = createLookout()
  const at = (answer: string) => ({
    ...{ health: 'warning' as const, promises: [] },
    warnings: [withAnswer('main: what files were read from could not be removed', answer)],
  })
  expect(lookout(AT, at('disk is busy'))).toContain('disk is busy')
  expect(lookout(AT, at('no space left on device'))).toBeNull()
})
