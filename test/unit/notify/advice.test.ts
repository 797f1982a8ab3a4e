/** What to do, by what something is about. */
import { expect, test } from 'vitest'
import { describe as sentenceOf } from '../../../shared/incus/refusal.ts'
import { adviceFor } from '../../../shared/notify/advice.ts'
import { troublesOf } from '../../../shared/notify/trouble.ts'
import { conditionOf, promisedOf, verdictOf } from './verdicts.ts'

const reasonOf = (message: string): string => sentenceOf({ code: 'incus', message, status: 500 })
const adviceOn = (reason: string): string | null => adviceFor(troublesOf(verdictOf([promisedOf({ reason })])))

test.each([
  ['rsync: write failed: No space left on device (28)', /^free space in the storage pool/],
  [`${'lvcreate /dev/x '.repeat(20)}: insufficient free space`, /^free space in the storage pool/],
  ['Insufficient suitable allocatable extents for logical volume', /^free space in the storage pool/],
  ['Failed migration on source: write tcp: broken pipe', /pool of the receiving server is full/],
  ['dial tcp 10.0.0.1:8443: connect: ECONNREFUSED', /^look whether that server runs/],
  ['its own data is broken', /^see \/backup status/],
])('"%s" of Incus', (message, advice) => {
  expect(adviceOn(reasonOf(message))).toMatch(advice)
})

test('conditions that say it themselves are not told to be looked up, whatever their words are', () => {
  const on = (id: string) =>
    adviceFor(troublesOf(verdictOf([], [conditionOf({ id, text: 'what is wrong' })])))
  expect(['lost x', 'brake x', 'uncovered x', 'found x', 'role x'].map(on)).toEqual([
    null,
    null,
    null,
    null,
    null,
  ])
  expect(on('paused p')).toMatch(/^see \/backup status/)
  // Words of somebody else's are no command to run.
  const text = 'policy p is paused: npm run nothing'
  expect(adviceFor(troublesOf(verdictOf([], [conditionOf({ id: 'paused p', text })])))).toMatch(/^see/)
})

test('of a silent server the first thing is that it answers, also where its error names a full disk', () => {
  const remote = { kind: 'remote', about: 'main', text: 'main has given no answer: No space left' } as const
  for (const more of [{}, { code: 'unreachable' }])
    expect(
      adviceFor(troublesOf(verdictOf([], [conditionOf({ id: 'remote main', ...remote, ...more })]))),
    ).toMatch(/^look whether that server runs/)
})
