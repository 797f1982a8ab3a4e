/** How commands end where a stapes answers otherwise than one wishes. */
import { describe, expect, test } from 'vitest'
import type { Session } from '../../../scripts/session.ts'
import { err, ok } from '../../../shared/result.ts'
import { callWith } from './shell.ts'

const RAN = { lines: [], results: [], problems: [], refusal: null, started: {} }
const PLANNED = { lines: [], text: '', warnings: [], digest: 'd', approval: 'self', applied: true }
const SAID = { line: 'status', tone: 'good', text: '', message: { headline: ['fine'], details: [] } }

const call = (session: Partial<Record<keyof Session, unknown>>, ...words: string[]) =>
  callWith(session as unknown as Session, words)

test('status whose verdict is not to be had is one JSON document, and no success', async () => {
  const session = { command: async () => ok(SAID), status: async () => err(['no answer']) }
  const { code, out } = await call(session, 'status', '--json')
  expect([code, JSON.parse(out)]).toEqual([1, { version: 1, command: 'status', error: ['no answer'] }])
})

describe('a change', () => {
  test('that was not begun because of a problem is no success', async () => {
    const problems = ['main can not be reached']
    const { code, out } = await call({ run: async () => ok({ ...RAN, problems }) }, 'now', 'web1')
    expect([code, out]).toEqual([1, expect.stringContaining('did nothing, with 1 problem')])
  })

  test('that has nothing to do is one', async () => {
    expect((await call({ run: async () => ok(RAN) }, 'now', 'web1')).code).toBe(0)
  })

  test('of a plan of which nothing is left is no success of that plan', async () => {
    const asked: object[] = []
    const run = async (body: object) => {
      asked.push(body)
      return ok(RAN)
    }
    const session = { planOf: async () => ok(PLANNED), run }
    const { code, errors } = await call(session, 'expire', 'web1', '--yes', '--digest=other')
    expect([code, errors, asked]).toEqual([1, expect.stringContaining('The plan has changed'), []])
    expect((await call(session, 'expire', 'web1', '--yes', '--digest=d')).code).toBe(0)
  })
})

const WISH = ['web1', '--from=nas', '--as=web1-old']

describe('with --json each end is one document, and 1 where it failed:', () => {
  const unset = err(['STAPES_TOKEN is not set'])

  test.each<[string, string, ...string[]]>([
    ['a flag that there isn’t', 'No flag registered for --jsno', 'list', '--jsno'],
    ['a flag that a command hasn’t', 'No flag registered for --dry-run', 'list', 'web1', '--dry-run'],
    ['a command that there isn’t', 'No command registered for `lsit`', 'lsit'],
    ['a missing token', 'STAPES_TOKEN is not set', 'list'],
    ['a missing token of status', 'STAPES_TOKEN is not set', 'status'],
    ['a file that isn’t there', '/nowhere/key.txt can', 'import', ...WISH, '--key=/nowhere/key.txt'],
    ['a file without a key', '/dev/null has no identity of age', 'import', ...WISH, '--key=/dev/null'],
  ])('%s', async (_, said, ...words) => {
    const { code, out, errors } = await callWith(unset, [...words, '--json'])
    const error = expect.arrayContaining([expect.stringContaining(said)])
    expect([code, JSON.parse(out)]).toEqual([1, { version: 1, command: words[0], error }])
    expect(errors).toContain(said)
    const plain = await callWith(unset, words)
    expect([plain.code, plain.out]).toEqual([1, ''])
    expect(plain.errors).toContain(said)
  })

  test('a bug', async () => {
    const session = { command: () => Promise.reject(new Error('of ours')) }
    const { code, out } = await call(session, 'list', '--json')
    const error = ['Command failed, Error: of ours']
    expect([code, JSON.parse(out)]).toEqual([1, { version: 1, command: 'list', error }])
  })

  test('not where the word after -- is no flag', async () => {
    const { code, out } = await call({}, 'lsit', '--', '--json')
    expect([code, out]).toEqual([1, ''])
  })
})
