import { describe, expect, test } from 'vitest'
import { reachOf } from '../../../shared/access/permit.ts'
import { keysIn, parseSubject, pathOf, type Subject, subjectKey } from '../../../shared/incus/subject.ts'
import { compilePaths } from '../../../shared/policy/glob.ts'

const INSTANCE = { remote: 'main', project: 'default', instance: 'web1' }
const VOLUME = { remote: 'main', project: 'default', pool: 'fast', volume: 'web1' }

test.each<[string, Subject]>([
  ['main/default/web1', INSTANCE],
  ['main/default/fast:web1', VOLUME],
  // Only the first colon parts them.
  ['main/default/fast:a:b', { ...VOLUME, volume: 'a:b' }],
  ['main/default/fast%3Aa:b', { ...VOLUME, pool: 'fast:a', volume: 'b' }],
  ['main/default/%253A:b', { ...VOLUME, pool: '%3A', volume: 'b' }],
])('%s is the key of one subject and no other', (key, subject) => {
  expect(subjectKey(subject)).toBe(key)
  expect(parseSubject(key)).toEqual(subject)
})

test.each([
  '',
  'web1',
  'default/web1',
  'main/default/',
  '/default/web1',
  'main/default/a/b',
  'main/d/:v',
  'main/d/p:',
])('"%s" is no key', (key) => expect(parseSubject(key)).toBeNull())

test('a text names volumes whole', () => {
  expect(keysIn('main/default/web1: it has main/default/fast:db, and main/p/a:b; see')).toEqual([
    'main/default/web1',
    'main/default/fast:db',
    'main/p/a:b',
  ])
})

describe('globs and grants', () => {
  test.each([
    ['fast:web1', true],
    ['default/fast:*', true],
    ['main/default/*', true],
    ['web1', false],
    ['slow:*', false],
  ])('%s names the volume: %s', (glob, named) => {
    expect(compilePaths([glob])(pathOf(subjectKey(VOLUME)))).toBe(named)
    expect(reachOf({ allowed: true, instances: [glob] })(subjectKey(VOLUME))).toBe(named)
  })

  test('one for an instance names no volume of that name', () => {
    expect(compilePaths(['web1'])(pathOf(subjectKey(INSTANCE)))).toBe(true)
    expect(compilePaths(['fast:*'])(pathOf(subjectKey(INSTANCE)))).toBe(false)
  })
})
