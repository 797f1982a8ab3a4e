/** What the drivers' suite writes into docs/drivers.md. */
import { describe, expect, test } from 'vitest'
import { render, replaceSection } from '../../drivers/report.ts'

describe('a version’s section', () => {
  const before = '# Storage drivers\n\nWords.\n'

  test('comes at the end when there is none', () => {
    const text = replaceSection(before, '6.0.4', 'tried')
    expect(text).toMatch(/^# Storage drivers\n\nWords\.\n\n<!-- begin 6\.0\.4/)
    expect(text).toContain('## Incus 6.0.4\n\ntried\n')
  })

  test('takes the place of its older self, and the others stay', () => {
    const both = replaceSection(replaceSection(before, '6.0.4', 'old'), '7.0.2', 'other')
    const text = replaceSection(both, '6.0.4', 'new')
    expect(text).not.toContain('old')
    expect(text).toBe(both.replace('old', 'new'))
  })
})

describe('the tables', () => {
  const cells = new Map([
    ['zfs snapshot', 'yes'],
    ['zfs dir first', 'yes'],
    ['zfs dir refresh', '**failed**'],
    ['dir zfs first', 'yes'],
    ['dir zfs refresh', 'yes'],
  ])
  const rows = render('Tried.', cells).split('\n')

  test('say of what was not tried that it was not', () => {
    expect(rows).toContain('| zfs | yes | not tried | not tried |')
    expect(rows).toContain('| dir | not tried | not tried | yes | not tried | not tried |')
  })

  test('tell a first copy from its refreshes where only one of them failed', () => {
    expect(rows.find((row) => row.startsWith('| zfs |') && row.includes('first:'))).toContain(
      '| first: yes, refresh: **failed** |',
    )
  })
})
