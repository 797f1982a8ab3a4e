import { describe, expect, test } from 'vitest'
import { createTickRenderer, parseEntry } from '../../../scripts/start/ticks.ts'
import type { Line } from '../../../shared/plan/line.ts'

const entryOf = (lines: Pick<Line, 'sign' | 'what'>[], counts: object = {}) => {
  const entry = parseEntry({
    ...{ at: '2026-11-22T03:00:10.000Z', taken: 0, expired: 0, copiesStarted: 0, verified: 0, problems: [] },
    lines: lines.map((line) => ({ about: 'main/default/web1', reason: 'why', ...line })),
    ...counts,
  })
  if (entry === null) throw new Error('no entry')
  return entry
}

describe('a run that npm start shows', () => {
  test('in one line, where it does what was announced, and in full where it does something else', () => {
    const [line, other] = [
      { sign: '+' as const, what: 'daily-1' },
      { sign: '+' as const, what: 'daily-2' },
    ]
    const announced = createTickRenderer().render(entryOf([line], { taken: 1 })) ?? ''
    const { render, announce } = createTickRenderer()
    announce(announced.split('\n').slice(1).join('\n').trimEnd())
    expect(render(entryOf([line], { taken: 1 }))).toBe('03:00:10Z  1 snapshot taken, as planned\n')
    expect(render(entryOf([other], { taken: 1 }))).toContain('+ daily-2')
  })

  test.each<[string, Pick<Line, 'sign' | 'what'>, object, string]>([
    ['a snapshot', { sign: '+', what: 'daily-1' }, { taken: 1 }, '1 snapshot taken'],
    [
      'a restore',
      { sign: '<', what: 'daily-1' },
      { started: { restores: ['main/default/web1'] } },
      '1 restore begun',
    ],
    [
      'a copy',
      { sign: '>', what: 'backup/default/web1' },
      { copiesStarted: 1, started: { copies: ['main/default/web1>backup/default/web1'] } },
      '1 copy started',
    ],
    ['a hold', { sign: '#', what: 'daily-1' }, {}, 'done'],
    ['a start', { sign: '^', what: '' }, {}, 'done'],
    ['a copy that waits', { sign: '…', what: '' }, {}, 'waiting'],
  ])('with %s says so', (_, line, counts, said) => {
    const text = createTickRenderer().render(entryOf([line], counts))
    expect(text?.split('\n').slice(0, 3)).toEqual([
      `03:00:10Z  ${said}`,
      '  main/default/web1',
      expect.stringContaining(`${line.sign} ${line.what}`),
    ])
  })

  test('that keeps everything as it is, or says the same again, is left out', () => {
    const { render } = createTickRenderer()
    expect(render(entryOf([{ sign: '=', what: 'daily-1' }]))).toBe(null)
    expect(render(entryOf([{ sign: '!', what: '' }]))).not.toBe(null)
    expect(render(entryOf([{ sign: '!', what: '' }]))).toBe(null)
  })
})
