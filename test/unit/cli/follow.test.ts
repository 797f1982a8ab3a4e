/** Long work is watched until its end, whatever the answers in between. */
import { expect, test } from 'vitest'
import { follow } from '../../../scripts/cli/follow.ts'
import { createTerminal } from '../../../scripts/cli/terminal.ts'
import type { Progress, Session } from '../../../scripts/session.ts'
import { err, ok } from '../../../shared/result.ts'

type Look = Progress | string

async function watch(looks: readonly Look[], far: Record<string, string> = {}) {
  let at = 0
  const notes: string[] = []
  const session = {
    async progress() {
      const look = looks[Math.min(at++, looks.length - 1)] ?? {}
      return typeof look === 'string' ? err([look]) : ok(look)
    },
    howFar: async () => ok(far),
  } as unknown as Session
  const streams = {
    stdout: { write: () => {} },
    stderr: { write: (text: string) => void notes.push(text.trim()) },
  }
  const terminal = createTerminal(streams, { json: false, command: 'copy', env: {} })
  const ends = await follow(
    { started: { copies: ['a>b'], clones: [] }, at: BEGUN },
    session,
    terminal,
    async () => {},
  )
  return { ends, notes, looked: at }
}

const BEGUN = '2026-11-28T02:00:00.000Z'

const copy = (state: string, more = {}): Progress => ({ copies: { 'a>b': { state, at: BEGUN, ...more } } })

test.each(['verified', 'failed', 'running'])(
  'what is %s since before it was begun is of an earlier try',
  async (state) => {
    const earlier = copy(state, { at: '2026-11-28T01:00:00.000Z', reason: 'of the earlier one' })
    const { ends, looked } = await watch([
      earlier,
      earlier,
      copy('running'),
      copy('failed', { reason: 'no room' }),
    ])
    expect([ends, looked]).toEqual([[{ work: 'copies a>b', state: 'failed', reason: 'no room' }], 4])
  },
)

test('that it goes on is said once, and its end ends it', async () => {
  const { ends, notes, looked } = await watch([
    {},
    copy('started'),
    copy('running'),
    copy('running'),
    copy('verified'),
  ])
  expect(ends).toEqual([{ work: 'copies a>b', state: 'done' }])
  expect(notes.slice(1)).toEqual([
    'copies a>b: it begins',
    'copies a>b: it is in progress',
    'copies a>b: done',
  ])
  expect(looked).toBe(5)
})

test('how far it is is said, where that is known', async () => {
  const { notes } = await watch([copy('running'), copy('done')], {
    'copies a>b': '1.2 GB (45 %) at 3.0 MB/s',
  })
  expect(notes).toContain('copies a>b: it is in progress: 1.2 GB (45 %) at 3.0 MB/s')
})

test('a try that failed is not the end while another one comes', async () => {
  const tried = copy('failed', { reason: 'no room', retryAt: '2026-11-28T03:00:00Z' })
  const { ends, notes } = await watch([tried, tried, copy('running'), copy('done')])
  expect(ends).toEqual([{ work: 'copies a>b', state: 'done' }])
  expect(notes).toContain('copies a>b: it failed, and is tried again at 2026-11-28T03:00:00Z: no room')
})

test.each([
  ['failed', 'failed'],
  ['unknown', 'unknown'],
])('what is %s is no success', async (state, said) => {
  const { ends } = await watch([copy(state, { reason: 'it vanished' })])
  expect(ends).toEqual([{ work: 'copies a>b', state: said, reason: 'it vanished' }])
})

test('no answer is no end', async () => {
  const { ends, notes } = await watch(['no answer', 'no answer', copy('done')])
  expect(ends).toEqual([{ work: 'copies a>b', state: 'done' }])
  expect(notes.filter((note) => note === 'no answer')).toHaveLength(2)
})

test('what never begins is unknown after some minutes', async () => {
  const { ends, looked } = await watch([{}])
  expect(ends).toMatchObject([
    { work: 'copies a>b', state: 'unknown', reason: expect.stringContaining('seen to begin') },
  ])
  expect(looked).toBe(37)
})
