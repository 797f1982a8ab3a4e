/** What was said of an export, and what that comes to: what can't be read, or stands at the same moment, keeps it. */
import { expect, test } from 'vitest'
import {
  type ExportNote,
  type Noted,
  noteName,
  notesOf,
  parseNote,
  renderNote,
  standingOf,
} from '../../../../shared/work/export/notes.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const NOW = Date.parse('2026-11-22T12:00:00Z')
const FILE = '20261122T030000Z.0a1b2c3d4e5f.tar.zst'

/** So many hours ago. */
const said = (hours: number, note: ExportNote, age: number | null = null): Noted => ({
  ...{ word: note.do, at: NOW - hours * HOUR, age, note },
})
const hold: ExportNote = { do: 'hold', text: 'audit' }
const removal = (at: number): ExportNote => ({ do: 'remove', end: new Date(at).toISOString(), last: false })
const in1h = removal(NOW + HOUR)

test.each<[string, Noted[], object]>([
  ['nothing', [], { held: null, freed: null, removal: null }],
  ['a hold', [said(5, hold)], { held: 'audit', removal: null }],
  ['a hold that can’t be read', [{ ...said(5, hold), note: null }], { held: 'it is not known why' }],
  ['a release', [said(5, hold), said(4, { do: 'release' })], { held: null, freed: NOW + 20 * HOUR }],
  [
    'a release that can’t be read',
    [said(5, hold), { ...said(4, { do: 'release' }), note: null }],
    { held: 'audit' },
  ],
  ['a release of what was never held', [said(4, { do: 'release' })], { held: null, freed: null }],
  ['another hold after it', [said(5, hold), said(4, { do: 'release' }), said(3, hold)], { held: 'audit' }],
  ['both at once', [said(5, { do: 'release' }), said(5, hold)], { held: 'audit' }],
  ['a removal', [said(5, in1h)], { removal: { end: NOW + HOUR, last: false } }],
  ['a removal that can’t be read', [{ ...said(5, in1h), note: null }], { removal: null }],
  ['that taken back', [said(5, in1h), said(4, { do: 'undo' })], { removal: null }],
  ['both at once', [said(5, { do: 'undo' }), said(5, in1h)], { removal: null }],
  ['a hold of what goes', [said(5, in1h), said(4, hold)], { held: 'audit', removal: null }],
  ['a removal of what is held', [said(5, hold), said(4, in1h)], { held: 'audit', removal: null }],
  [
    'that released',
    [said(5, hold), said(4, in1h), said(3, { do: 'release' })],
    { held: null, removal: null },
  ],
  ['in any order', [said(4, { do: 'undo' }), said(5, in1h)], { removal: null }],
])('%s', (_, noted, expected) => {
  expect(standingOf(noted, NOW)).toMatchObject(expected)
})

test('counts by the clock that says less time has passed', () => {
  const young = HOUR
  expect(standingOf([said(50, hold), said(48, { do: 'release' }, young)], NOW).freed).toBe(NOW + DAY - young)
  // Written with 49 hours left, and the store has it for one.
  expect(standingOf([said(48, in1h, young)], NOW).removal?.end).toBe(NOW + 48 * HOUR)
})

test('has a name of its own that is no other export’s, nor another try’s', () => {
  const name = noteName(FILE, NOW, 'hold')
  expect(name).toBe('20261122T030000Z.0a1b2c3d4e5f.20261122T120000000Z.hold')
  const others = [name, `${name}.json`, '20261122T030000Z.hold', FILE, name.replace('0a1b', 'ffff')]
  expect(notesOf(FILE, others)).toEqual([{ name, word: 'hold', at: NOW }])
  expect(notesOf(`${FILE}.age`, others)).toHaveLength(1)
})

test('reads as it was written, and anything else is none', () => {
  for (const note of [hold, in1h, { do: 'undo' }, { do: 'release' }] as const)
    expect(parseNote(renderNote(note))).toEqual(note)
  for (const text of [null, '', '{', '[]', '{"do":"remove","end":"soon","last":true}', '{"do":"hold"}'])
    expect(parseNote(text)).toBeNull()
})
