/** `stapes` over a simulated world: what is asked, shown and confirmed, and what its end tells scripts. */
import { beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { instanceOf, seedInstance } from '../../emulator/scene.ts'
import { openShell, type Shell } from './shell.ts'

vi.spyOn(console, 'log').mockImplementation(() => {})

let shell: Shell
beforeAll(async () => {
  shell = await openShell()
  await shell.scene.pass(190)
})

// KV takes one write a second.
beforeEach(() => shell.scene.pass(2))

const snapshots = (): string[] => [
  ...instanceOf(shell.scene.world.incus.main, { name: 'web' }).snapshots.keys(),
]

describe('what only reads', () => {
  test('is shown for people', async () => {
    const { code, out, errors } = await shell.call(['list', 'web'])
    expect([code, errors]).toEqual([0, ''])
    expect(out).toMatch(/^· main\/default\/web: \d+ snapshots/)
    expect(out.split('\n').length).toBeGreaterThan(3)
  })

  test('is JSON of a known form for programs, and nothing else', async () => {
    const { code, data } = await shell.data('list', 'web')
    expect([code, data]).toMatchObject([0, { version: 1, command: 'list', line: 'list web', tone: 'info' }])
  })

  test('is whole, where chat shows no more than it has room for', async () => {
    const many = await openShell({ policies: { all: { remotes: ['main'], schedule: '@hourly' } } })
    for (let at = 0; at < 60; at++) seedInstance(many.scene.world.incus.main, { name: `n${at}` })
    const { out } = await many.call(['list'])
    expect(out.match(/^main\/default\/n\d+: /gm)).toHaveLength(60)
    expect(out).not.toContain('more: ')
  })

  test('names commands as they are called here', async () => {
    const { out } = await shell.call(['help', 'restore'])
    expect(out).toContain('stapes restore')
    expect(out).not.toContain('/backup')
  })

  test('has colours in a terminal alone, unless somebody wants none', async () => {
    const ESCAPE = '\u001b['
    expect((await shell.call(['list'])).out).not.toContain(ESCAPE)
    expect((await shell.call(['list'], { isTTY: true })).out).toContain(ESCAPE)
    expect((await shell.call(['list'], { isTTY: true, env: { NO_COLOR: '1' } })).out).not.toContain(ESCAPE)
  })
})

test('doctor ends with the gravest finding, with --json and without', async () => {
  const { code, out } = await shell.call(['doctor'])
  expect([code, out]).toEqual([2, expect.stringMatching(/^✗ .*critical.*\n.*✗ status-bad/)])
  const json = await shell.data('doctor')
  expect([json.code, json.data]).toMatchObject([2, { version: 1, command: 'doctor', tone: 'bad' }])
  expect(json.data.findings).toContainEqual(expect.objectContaining({ code: 'channels-none', about: null }))
  expect(out.split('\n').filter((line) => line.includes('To do: '))).toHaveLength(
    (json.data.findings as object[]).length,
  )
})

test('status ends with the verdict', async () => {
  // lab is under no policy.
  expect((await shell.call(['status'])).code).toBe(2)
  const all = await openShell({
    defaults: { remotes: ['main'] },
    policies: { all: { schedule: '@hourly', keep: { last: 3 } } },
  })
  await all.scene.pass(130)
  expect((await all.call(['status'])).code).toBe(0)
})

describe('what removes data', () => {
  const first = () => snapshots()[0] ?? ''

  test('shows its plan, and does nothing without a terminal to ask in', async () => {
    const before = snapshots()
    const { code, out, errors } = await shell.call(['expire', 'web', `--snapshot=${first()}`])
    expect(code).toBe(4)
    expect(out).toContain(first())
    expect(errors).toMatch(/nothing was done: .* --yes --digest=[\w-]+$/m)
    expect(snapshots()).toEqual(before)
  })

  test('does nothing by the digest of another plan', async () => {
    const before = snapshots()
    const words = ['expire', 'web', `--snapshot=${first()}`, '--yes', '--digest=00']
    const { code, errors } = await shell.call(words)
    expect([code, errors]).toEqual([1, expect.stringContaining('The plan has changed')])
    expect(snapshots()).toEqual(before)
  })

  test('does nothing with --dry-run, whatever else is said', async () => {
    const { code, data } = await shell.data('expire', 'web', `--snapshot=${first()}`, '--yes', '--dry-run')
    expect([code, data]).toMatchObject([0, { plan: { digest: expect.any(String) } }])
    expect(data).not.toHaveProperty('run')
  })

  test('is done by the digest of its plan', async () => {
    const [going] = snapshots()
    const words = ['expire', 'web', `--snapshot=${going}`, '--now']
    const planned = await shell.data(...words)
    expect(planned).toMatchObject({ code: 4, data: { done: false } })
    const { digest } = (planned.data as { plan: { digest: string } }).plan
    const { code, data } = await shell.data(...words, '--yes', `--digest=${digest}`)
    expect([code, data]).toMatchObject([0, { run: { results: [{ state: 'done' }] } }])
    expect(snapshots()).not.toContain(going)
  })
})

describe('what changes something', () => {
  test('is done at once, and told', async () => {
    const { code, out } = await shell.call(['now', 'web', '--as=before'])
    expect([code, out]).toEqual([0, expect.stringMatching(/^✓ stapes now web --as=before took 1 snapshot/)])
    expect(snapshots()).toContain('before')
  })

  test('is a change of stapes itself, too', async () => {
    const paused = await shell.call(['pause', 'nightly', '2h'])
    expect([paused.code, paused.out]).toEqual([0, expect.stringContaining('paused policy')])
    await shell.scene.pass(1)
    expect((await shell.call(['resume', 'nightly'])).code).toBe(0)
    expect((await shell.call(['resume', 'nothing'])).code).toBe(1)
  })

  test('that fails ends with 1, and says why', async () => {
    const { code, data } = await shell.data('restore', 'web', 'nothing', '--yes')
    expect([code, data]).toMatchObject([1, { error: [expect.stringContaining('nothing')] }])
  })

  test('shows moments in its plan as people read them', async () => {
    const newest = snapshots().findLast((name) => name.startsWith('hourly')) ?? ''
    const { code, out } = await shell.call(['restore', 'web', newest, '--dry-run'])
    expect([code, out]).toEqual([
      0,
      expect.stringMatching(/kept until \d{4}-\d\d-\d\d \d\d:\d\d UTC: stapes/),
    ])
  })

  test('begins long work, and says of what kind', async () => {
    const newest = snapshots().findLast((name) => name.startsWith('hourly')) ?? ''
    const begun = await shell.data('clone', 'web', newest, '--as=web-new')
    expect(begun).toMatchObject({ code: 0, data: { run: { started: { clones: [expect.any(String)] } } } })
  })
})

describe('what is mistyped', () => {
  test.each([
    [['lits'], /did you mean `?list/],
    [['list', '--nothing'], /--nothing/],
    [['restore', 'web'], /restore needs snapshot/],
    [['hold'], /hold needs instance/],
    [['pause', 'nightly', 'soon'], /soon/],
  ])('%j is told, and asks nothing of the servers', async (words, why) => {
    const { code, out, errors } = await shell.call(words)
    expect(code).not.toBe(0)
    expect(errors).toMatch(why)
    expect(out).toBe('')
  })
})
