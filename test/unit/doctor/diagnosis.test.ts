/** The whole of a diagnosis, and what of it somebody sees. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { plainText } from '../../../shared/chat/plain-text.ts'
import { AREAS, CODES } from '../../../shared/doctor/codes.ts'
import { visibleTo } from '../../../shared/doctor/diagnosis.ts'
import { diagnosisMessage } from '../../../shared/doctor/message.ts'
import { ok } from '../../../shared/result.ts'
import { diagnosisOf, examinedOf, factsOf, mainWith, remoteExam, seenOn, WEB } from './examined.ts'

const silent = { ok: false, error: { code: 'unreachable', message: 'no route to host' } } as const

test('where all is well there are only notes, and it says what it has looked at', () => {
  const { tone, findings, fine } = diagnosisOf()
  expect(findings.filter(({ severity }) => severity !== 'info')).toEqual([])
  expect([tone, findings.map(({ code }) => code)]).toEqual([
    'good',
    ['kv-writes', 'incustmp', 'incustmp', 'space-ends', 'space-ends'],
  ])
  expect(fine).toEqual(AREAS.filter((area) => !['kv', 'leftovers', 'space'].includes(area)))
})

test('what gives no answer is unknown, and no area of it is fine', () => {
  const { tone, findings, fine } = diagnosisOf({
    remotes: { main: silent, backup: silent },
    relay: ok(factsOf({ remotes: { main: silent, backup: silent }, ways: [] })),
  })
  const of = (severity: string) => findings.filter((one) => one.severity === severity).map(({ code }) => code)
  expect([tone, of('critical')]).toEqual(['bad', ['remote-silent', 'remote-silent']])
  expect(new Set(of('unknown'))).toEqual(
    new Set([
      ...['clock-unknown', 'version-unknown', 'keys-unread', 'pool-unknown', 'leftovers-unread'],
      ...['space-unknown', 'rights-unknown', 'reach-unknown', 'needs-unknown'],
    ]),
  )
  expect(fine).toEqual(['edge', 'channels', 'certificates'])
})

test('of a server that gives no answer nothing is said but that: what it has isn’t known, which isn’t none', () => {
  const { findings } = diagnosisOf({
    remotes: { ...examinedOf().remotes, backup: silent },
    relay: ok(factsOf({ remotes: { main: remoteExam(), backup: silent }, ways: [] })),
  })
  const about = findings.filter(({ code }) => code === 'reach-unknown' || code === 'needs-unknown')
  expect(about.map(({ code, about: of, cure }) => [code, of, cure])).toEqual([
    ['reach-unknown', 'backup', 'have it answer first'],
    ['needs-unknown', 'backup', 'have it answer first'],
  ])
})

test('where nothing is applied no server is looked at, and nothing of any is fine', () => {
  expect(diagnosisOf({ config: null, remotes: {} }).fine).toEqual(['relay', 'certificates'])
})

describe('whoever may see only some instances', () => {
  const all = diagnosisOf({
    remotes: {
      main: seenOn({ web1: { own: { 'user.stapes.kep': '3' } }, db: { own: { 'user.stapes.kep': '3' } } }),
    },
  })

  test('is told of these alone, and of what concerns all', () => {
    const abouts = visibleTo(all, (key) => key === WEB).findings.map(({ about }) => about)
    expect(abouts).toContain(WEB)
    expect(abouts).toContain(null)
    expect(abouts).not.toContain('main/default/db')
    expect(all.findings.map(({ about }) => about)).toContain('main/default/db')
  })
})

test('a message has each finding with its code and cure, the gravest first', () => {
  const text = plainText(diagnosisMessage(diagnosisOf(mainWith({ skew: 7200 })), Number.POSITIVE_INFINITY))
  const lines = text.split('\n')
  expect(lines[0]).toMatch(/^1 critical finding and \d notes$/)
  expect(lines[1]).toMatch(/✗ clock-off the clock of main is 2 h ahead of the relay's\. To do: correct it/)
  expect(text).toContain('Nothing was found about relay, edge,')
})

test('docs/doctor.md has a row for each code, and for no other', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/doctor.md'), 'utf8')
  const rows = [...page.matchAll(/^\| `([a-z-]+)` \| [^|]+ \| [^|]+ \|$/gm)].map(([, code]) => code)
  expect(rows.toSorted()).toEqual(Object.keys(CODES).sort())
})
