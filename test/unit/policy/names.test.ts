/** Names that every object has, and ways to write a document that people were caught by. */
import { describe, expect, test } from 'vitest'
import { parseConfig } from '../../../shared/policy/parse.ts'

const messagesOf = (document: unknown): string[] => {
  const parsed = parseConfig(document)
  return parsed.ok ? [] : parsed.error.map(({ message }) => message)
}

const least = { remotes: ['main'], schedule: '@daily' }
const policy = (settings: object) => ({ policies: { a: { ...least, ...settings } } })

describe('a name that every object has', () => {
  test('of a policy and of remotes is a name like others', () => {
    expect(
      messagesOf({ policies: { constructor: { ...least, remotes: ['constructor', 'toString'] } } }),
    ).toEqual([])
  })

  test('that no policy may have is refused', () => {
    const document = JSON.parse('{"policies":{"__proto__":{"remotes":["main"],"schedule":"@daily"}}}')
    expect(messagesOf(document)).toEqual([
      expect.stringMatching(/a policy name of lower-case letters.*__proto__/),
    ])
    expect(messagesOf({ policies: { toString: least } })).toEqual([
      expect.stringContaining('a policy name of'),
    ])
  })

  test.each([
    [
      'a condition',
      '{"policies":{"a":{"select":{"remotes":["m"],"config":{"__proto__":"x"}},"schedule":"@daily"}}}',
    ],
    ['a condition of all', '{"defaults":{"select":{"config":{"__proto__":"x"}}},"policies":{}}'],
    [
      'a group',
      '{"policies":{},"access":{"groups":{"__proto__":["slack:T024BE7LD/U024BE7LH"]},"grants":[]}}',
    ],
  ])('that JSON has and maps lose is refused as %s, and not left out', (_, text) => {
    expect(messagesOf(JSON.parse(text))).toContainEqual(
      expect.stringContaining('__proto__: expected another name'),
    )
  })

  test('is no group unless there is one', () => {
    const grants = [{ who: ['group:constructor'], role: 'admin' }]
    expect(messagesOf({ policies: { a: least }, access: { grants } })).toEqual([
      expect.stringMatching(/^access\.grants\[0\]\.who\[0\]: expected a group of "access\.groups"/),
    ])
    const groups = { constructor: ['slack:T024BE7LD/U024BE7LH'] }
    expect(messagesOf({ policies: { a: least }, access: { groups, grants } })).toEqual([])
  })

  test.each(['constructor', 'toString', '__proto__', 'hasOwnProperty'])(
    '%s is no schedule, rule or setting',
    (name) => {
      expect(messagesOf(policy({ schedule: name }))).toEqual([expect.stringContaining('it has 1 field')])
      for (const settings of [
        { [name]: 1 },
        { keep: { [name]: 1 } },
        { copy: { remote: 'backup', [name]: 1 } },
        { select: { [name]: 1 } },
      ]) {
        const document = policy(settings)
        // An object literal sets the prototype by that name; JSON doesn't.
        if (name !== '__proto__')
          expect(messagesOf(document)).toEqual([expect.stringContaining('unknown key')])
      }
      expect(messagesOf(policy({ expiry: name }))).toHaveLength(1)
      expect(messagesOf(policy({ timezone: name }))).toHaveLength(1)
      expect(messagesOf(policy({ jitter: name }))).toHaveLength(1)
    },
  )

  test('__proto__ as a setting is refused as well', () => {
    const document = JSON.parse(
      '{"policies":{"a":{"remotes":["main"],"schedule":"@daily","__proto__":{"paused":true}}}}',
    )
    expect(messagesOf(document)).toEqual([expect.stringContaining('unknown key')])
  })
})

describe('a document', () => {
  test('is taken with zones of every kind', () => {
    const zones = [
      'America/New_York',
      'Australia/Lord_Howe',
      'Asia/Calcutta',
      'Europe/Kyiv',
      'America/Coyhaique',
    ]
    for (const timezone of zones) expect(messagesOf(policy({ schedule: '0 3 * * *', timezone }))).toEqual([])
  })

  test('with a rule of another tool’s name is refused', () => {
    expect(messagesOf(policy({ keep: { 'keep-daily': 7 } }))).toEqual([expect.stringContaining('keep-daily')])
  })

  test('whose rules are all zero keeps everything', () => {
    const parsed = parseConfig(policy({ keep: { last: 0, daily: 0 } }))
    expect(parsed).toMatchObject({ ok: true, value: { policies: [{ keep: {} }] } })
  })

  test('with a day that its months lack is refused', () => {
    expect(messagesOf(policy({ schedule: '0 3 31 2,4,6,9,11 *' }))).toHaveLength(1)
  })

  test('with a zone in front of the expression is pointed at "timezone"', () => {
    for (const schedule of ['CRON_TZ=America/New_York 0 3 * * *', 'TZ=Europe/Rome @daily'])
      expect(messagesOf(policy({ schedule }))).toEqual([
        expect.stringMatching(/set the time zone in "timezone"/),
      ])
  })
})
