/** What the relay remembers over its restarts, in memory and in its file. */
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createJournal } from '../../../relay/engine/journal.ts'
import { openJournal } from '../../../relay/journal-file.ts'
import { createVirtualClock } from './virtual-clock.ts'

const WEB = 'main/default/web'
const DAY = 86_400_000

let folder: string
let path: string
let log: string[]
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stapes-journal-'))
  path = join(folder, 'journal.json')
  log = []
})
afterEach(() => rmSync(folder, { recursive: true }))

const open = () => openJournal(path, (line) => log.push(line))

test('it is there again after a restart, for its owner alone', () => {
  const clock = createVirtualClock()
  const file = open()
  const before = createJournal(clock, file)
  before.setVerified(WEB, [['s1', 5]])
  before.noteExpired(WEB, ['s0', 4])
  before.postpone(WEB, 's1', 7000, 90_000)
  before.counted(WEB, 9)
  file.close()
  expect(statSync(path).mode & 0o077).toBe(0)
  const after = createJournal(clock, open())
  expect(after.verified(WEB)).toEqual([['s1', 5]])
  expect(after.expired(WEB)).toEqual(['s0@4'])
  expect(after.postponed(WEB, 's1', 90_400)).toBe(7000)
  expect(after.peak(WEB)).toBe(9)
})

test('what is made for an export is on disk before it is made, and what can’t be written is not made', () => {
  const clock = createVirtualClock()
  const journal = createJournal(clock, open())
  expect(journal.noteTemporary('main/default/one', 'making')).toBe(true)
  expect(journal.noteTemporary('main/default/two', 'made')).toBe(true)
  expect([...createJournal(clock, open()).temporaries()]).toEqual([
    ['main/default/one', 'making'],
    ['main/default/two', 'made'],
  ])
  journal.dropTemporary('main/default/two')
  expect([...createJournal(clock, open()).temporaries().keys()]).toEqual(['main/default/one'])
  const lost = createJournal(
    clock,
    openJournal(join(folder, 'none', 'journal.json'), (line) => log.push(line)),
  )
  expect(lost.noteTemporary('main/default/one', 'making')).toBe(false)
})

test.each(['{', '[1]', '{"verified":{"a":7},"expired":{"a":[]},"peaks":{"a":"x"}}', ''])(
  'a file with %s in it doesn’t end the relay, and nothing is taken from it',
  (text) => {
    writeFileSync(path, text)
    const journal = createJournal(createVirtualClock(), open())
    expect([...journal.subjects()]).toEqual([])
    expect(journal.peak('a')).toBe(0)
  },
)

test('one that can’t be read is kept aside', () => {
  writeFileSync(path, '{"half')
  open().read()
  expect(readFileSync(`${path}.unreadable`, 'utf8')).toBe('{"half')
  expect(log.join()).toContain('kept as')
})

test('one that can’t be written is told, and the relay goes on', () => {
  const file = openJournal(join(folder, 'none', 'journal.json'), (line) => log.push(line))
  const journal = createJournal(createVirtualClock(), file)
  journal.counted(WEB, 3)
  file.close()
  expect(log.join()).toContain("can't be written")
  expect(journal.peak(WEB)).toBe(3)
  expect(existsSync(join(folder, 'none'))).toBe(false)
})

test('of expiries the latest counts: whoever took over the server can set an earlier one', () => {
  const clock = createVirtualClock()
  const journal = createJournal(clock)
  const now = Math.floor(clock.now() / 1000)
  journal.noteEnd(WEB, ['kept', 1], null)
  journal.noteEnd(WEB, ['kept', 1], now - 1)
  journal.noteEnd(WEB, ['ends', 2], now - 1)
  expect(journal.expired(WEB)).toEqual(['ends@2'])
  // Somebody has made it later.
  journal.noteEnd(WEB, ['ends', 2], now + 60)
  expect(journal.expired(WEB)).toEqual([])
  journal.noteEnd(WEB, ['ends', 2], null)
  journal.noteEnd(WEB, ['ends', 2], now - 1)
  expect(journal.expired(WEB)).toEqual([])
})

test('an expiry expires a snapshot once it has passed, and not before', async () => {
  const clock = createVirtualClock()
  const journal = createJournal(clock)
  journal.noteEnd(WEB, ['s1', 1], Math.floor(clock.now() / 1000) + 3600)
  const copies = new Map([[WEB, new Set(['s1@1'])]])
  expect(journal.expiredOn('main', copies)).toEqual([])
  await clock.advance(3_600_000)
  expect(journal.expiredOn('main', copies)).toEqual(['default/web/s1@1'])
  expect(journal.expiredOn('main', new Map())).toEqual([])
  journal.tidy(copies)
  await clock.advance(8 * DAY)
  journal.tidy(copies)
  expect(journal.expired(WEB)).toEqual(['s1@1'])
  journal.tidy(new Map([[WEB, new Set<string>()]]))
  expect(journal.expired(WEB)).toEqual([])
})

test('the most of a day is forgotten after it', async () => {
  const clock = createVirtualClock()
  const journal = createJournal(clock)
  journal.counted(WEB, 10)
  journal.counted(WEB, 4)
  expect(journal.peak(WEB)).toBe(10)
  await clock.advance(DAY)
  journal.counted(WEB, 4)
  expect(journal.peak(WEB)).toBe(4)
})

test('of one instance it keeps a bounded number', () => {
  const journal = createJournal(createVirtualClock())
  for (let at = 1; at <= 3000; at += 1) journal.noteExpired(WEB, [`s${at}`, at])
  expect(journal.expired(WEB)).toHaveLength(2000)
  expect(journal.expired(WEB)).toContain('s3000@3000')
})

test('a postponed expiry is the snapshot’s own only while Incus shows what the relay has set', () => {
  const journal = createJournal(createVirtualClock(), open())
  expect(journal.postponed(WEB, 's1', 90_000)).toBeNull()
  journal.postpone(WEB, 's1', 7000, 90_000)
  expect(journal.postponed(WEB, 's1', 90_000)).toBe(7000)
  expect(journal.postponed(WEB, 's1', 800_000)).toBeNull()
  expect(journal.postponed(WEB, 's1', null)).toBeNull()
  // Postponed again, it stays the same own one.
  journal.postpone(WEB, 's1', 90_000, 200_000)
  expect(journal.postponed(WEB, 's1', 200_000)).toBe(7000)
  // Somebody's later one is its own from then on.
  journal.postpone(WEB, 's1', 800_000, 900_000)
  expect(journal.postponed(WEB, 's1', 900_000)).toBe(800_000)
})

test('of what an earlier version postponed nothing is given back: what it had set is not known', () => {
  writeFileSync(path, JSON.stringify({ postponed: { [WEB]: { s1: 7000 } } }))
  const journal = createJournal(createVirtualClock(), open())
  expect(journal.postponed(WEB, 's1', 90_000)).toBeNull()
  journal.postpone(WEB, 's1', 90_000, 200_000)
  expect(journal.postponed(WEB, 's1', 200_000)).toBe(90_000)
})

test('an expiry that was allowed counts until somebody is seen to have set a later one, or it is gone', async () => {
  const clock = createVirtualClock()
  const file = open()
  const journal = createJournal(clock, file)
  const ending = () => [...journal.ending(WEB)].sort()
  const end = clock.now() + 60_000
  const began = clock.now()
  for (const name of ['a', 'b', 'c']) journal.end(WEB, name, end)
  // It may not be set yet, nor be listed by a look that began before.
  journal.shown(WEB, new Map([['a', null]]))
  await clock.advance(DAY)
  journal.listed(WEB, new Set(), began)
  expect(ending()).toEqual(['a', 'b', 'c'])
  journal.shown(
    WEB,
    new Map<string, number | null>([
      ['a', end],
      ['b', end + DAY],
    ]),
  )
  expect(ending()).toEqual(['a', 'c'])
  journal.listed(WEB, new Set(['a']), clock.now())
  expect(ending()).toEqual(['a'])
  file.close()
  expect([...createJournal(clock, open()).ending(WEB)]).toEqual(['a'])
  journal.lasts(WEB, 'a')
  expect(ending()).toEqual([])
})

test('what a copy has postponed is going once its own end has passed, and is known as postponed no longer', async () => {
  const clock = createVirtualClock()
  const journal = createJournal(clock)
  const [own, until] = [clock.now() + 60_000, clock.now() + 7 * DAY]
  journal.end(WEB, 'a', own)
  journal.postpone(WEB, 'a', own, until)
  journal.postpone(WEB, 'b', own, until)
  expect([...journal.ending(WEB)]).toEqual(['a'])
  await clock.advance(DAY)
  journal.shown(
    WEB,
    new Map([
      ['a', until],
      ['b', until],
    ]),
  )
  expect([...journal.ending(WEB)].sort()).toEqual(['a', 'b'])
  journal.shown(
    WEB,
    new Map([
      ['a', until + 1000],
      ['b', until + 1000],
    ]),
  )
  expect([...journal.ending(WEB)]).toEqual([])
})

test('ends that an earlier version noted count as well', () => {
  writeFileSync(
    path,
    JSON.stringify({ ends: { [WEB]: { a: 7000, b: 'x' } }, postponed: { [WEB]: { c: [7, 90_000] } } }),
  )
  const journal = createJournal(createVirtualClock(), open())
  expect([...journal.ending(WEB)].sort()).toEqual(['a', 'c'])
  expect(journal.postponed(WEB, 'c', 90_000)).toBe(7)
})
