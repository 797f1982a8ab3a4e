import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Command, Parameter, Parsed } from '../../../shared/command/command.ts'
import { commands } from '../../../shared/command/commands.ts'
import { renderLine } from '../../../shared/command/line.ts'
import { parseLine, parseOptions } from '../../../shared/command/parse.ts'

const DAILY = 'daily-20261122T0300Z'

const read = (line: string): Parsed => {
  const parsed = parseLine(line, commands)
  if (!parsed.ok) throw new Error(parsed.error.text)
  return parsed.value
}

const valuesOf = (line: string) => {
  const { command, values } = read(line)
  return { [command.name]: values }
}

const mistakeOf = (line: string) => {
  const parsed = parseLine(line, commands)
  return parsed.ok ? null : parsed.error
}

describe('a line', () => {
  test.each([
    ['nothing at all', '', { help: {} }],
    ['only white space', ' \n\t ', { help: {} }],
    ['a command alone', 'copy', { copy: {} }],
    ['a capital, as phones begin', 'Copy', { copy: {} }],
    [
      'instances and globs',
      'now web1 db* main/default/web?',
      { now: { instances: 'web1 db* main/default/web?' } },
    ],
    [
      'custom volumes and globs over them',
      'now default:db-1 main/default/fast:* prod/*:logs',
      { now: { instances: 'default:db-1 main/default/fast:* prod/*:logs' } },
    ],
    [
      'a snapshot of a custom volume',
      `release main/default/fast:db_1.a ${DAILY}`,
      { release: { instance: 'main/default/fast:db_1.a', snapshot: DAILY } },
    ],
    ['single quotes', "now 'db*'", { now: { instances: 'db*' } }],
    ['double quotes', 'now "db*"', { now: { instances: 'db*' } }],
    ['quotes inside a word', "now web'*'", { now: { instances: 'web*' } }],
    ['typographic quotes', 'now “db*” ‘web*’ „x*“', { now: { instances: 'db* web* x*' } }],
    ['a backslash', 'now db\\*', { now: { instances: 'db*' } }],
    ['a flag with =', 'now --policy=daily', { now: { policy: 'daily' } }],
    [
      'a flag with its value behind',
      'now --policy daily web1',
      { now: { policy: 'daily', instances: 'web1' } },
    ],
    ['a flag with a quoted value', 'now --policy="daily"', { now: { policy: 'daily' } }],
    ['the long dash of a phone', 'now —policy daily', { now: { policy: 'daily' } }],
    ['the middle dash', 'now –policy=daily', { now: { policy: 'daily' } }],
    ['other hyphens in a name', 'now web‑1', { now: { instances: 'web-1' } }],
    ['a flag in capitals', 'now --Policy=daily', { now: { policy: 'daily' } }],
    [
      'a parameter by its name',
      `restore --snapshot=${DAILY} web1`,
      { restore: { instance: 'web1', snapshot: DAILY } },
    ],
    [
      'a switch, behind or before its places',
      `restore --stateful web1 ${DAILY}`,
      { restore: { instance: 'web1', snapshot: DAILY, stateful: 'yes' } },
    ],
    [
      'a switch with a value',
      `restore web1 ${DAILY} --stateful=No`,
      { restore: { instance: 'web1', snapshot: DAILY, stateful: 'no' } },
    ],
    [
      'the end of flags',
      'hold web1 x -- --later',
      { hold: { instance: 'web1', snapshot: 'x', note: '--later' } },
    ],
    [
      'free words',
      'hold web1 x before  the upgrade',
      { hold: { instance: 'web1', snapshot: 'x', note: 'before the upgrade' } },
    ],
    [
      'free words in quotes',
      'hold web1 x "before \\"the\\" upgrade"',
      { hold: { instance: 'web1', snapshot: 'x', note: 'before "the" upgrade' } },
    ],
    [
      'an apostrophe',
      'hold web1 x don’t touch',
      { hold: { instance: 'web1', snapshot: 'x', note: 'don’t touch' } },
    ],
    [
      'an apostrophe in quotes',
      "hold web1 x 'don't touch'",
      { hold: { instance: 'web1', snapshot: 'x', note: "don't touch" } },
    ],
    ['a note that is empty', 'hold web1 x ""', { hold: { instance: 'web1', snapshot: 'x' } }],
    ['a duration', 'pause daily 1h30m', { pause: { policy: 'daily', duration: '1h30m' } }],
    ['the rest as it is', "plan now 'web 1'  --policy=x", { plan: { line: "now 'web 1'  --policy=x" } }],
    ['a flag for help', 'restore --help', { help: { command: 'restore' } }],
    ['a flag for help alone', '--help', { help: {} }],
  ])('%s: %s', (_, line, values) => {
    expect(valuesOf(line)).toEqual(values)
  })

  test.each([
    ["now   'db*'  --policy daily", 'now db* --policy=daily'],
    ['hold web1 x before the upgrade', 'hold web1 x "before the upgrade"'],
    [`restore --snapshot=${DAILY} --instance=web1`, `restore web1 ${DAILY}`],
    [`restore --stateful=true web1 ${DAILY}`, `restore web1 ${DAILY} --stateful`],
    ['expire --snapshot="a b\\"c" web1', null],
    ["expire --snapshot='a\"b' web1", 'expire web1 --snapshot="a\\"b"'],
    ['hold web1 x a\\\\', 'hold web1 x "a\\\\"'],
    ['', 'help'],
  ])('%s is remembered as %s', (line, remembered) => {
    const parsed = parseLine(line, commands)
    expect(parsed.ok ? parsed.value.line : null).toBe(remembered)
  })
})

test('what stands behind a gap or a list is remembered by its name', () => {
  const parameters = [
    { name: 'a', kind: 'count', description: '', required: false },
    { name: 'b', kind: 'instances', description: '', required: false },
    { name: 'c', kind: 'text', description: '', required: false },
  ] as const
  const form = { name: 'x', parameters }
  expect(renderLine(form, { a: '1', b: 'web1 web2', c: 'so it is' })).toBe('x 1 web1 web2 --c="so it is"')
  expect(renderLine(form, { b: 'web1 web2' })).toBe('x --b=web1 --b=web2')
})

describe('a mistake says what to do', () => {
  test.each([
    [
      'a command that is nearly one',
      'restor web1 x',
      'unknown-command',
      'There is no command "restor"; did you mean restore?',
    ],
    [
      'a command like nothing',
      'frobnicate',
      'unknown-command',
      'There is no command "frobnicate"; /backup help lists what there is',
    ],
    [
      'a flag first',
      '--policy=daily now',
      'unknown-command',
      'A line begins with a command, as in /backup now web1; flags follow it.',
    ],
    [
      'a flag that is nearly one',
      'now --polcy=daily',
      'unknown-flag',
      'now has no "--polcy". Did you mean --policy=…?',
    ],
    [
      'a flag with one dash',
      'now -policy daily',
      'unknown-flag',
      'now has no "-policy". Did you mean --policy=…?',
    ],
    [
      'a flag that another command has',
      'copy web1 --snapshot=x',
      'unknown-flag',
      'copy has no "--snapshot". Usage: /backup copy [instances…] [--policy=<policy>]',
    ],
    [
      'a flag without its value',
      'now --policy',
      'missing',
      '--policy needs a value: the name of a policy such as daily, in lower case.',
    ],
    [
      'a flag before a flag',
      'expire --policy --snapshot=x',
      'missing',
      '--policy needs a value: the name of a policy such as daily, in lower case.',
    ],
    [
      'a flag with nothing behind =',
      'now --policy=',
      'missing',
      '--policy needs a value: the name of a policy such as daily, in lower case.',
    ],
    [
      'a flag twice',
      'now --policy=a --policy=b',
      'twice',
      'policy is given twice. Usage: /backup now [instances…] [--policy=<policy>] [--as=<as>] [--reuse] [--expiry=<expiry>] [--stateful]',
    ],
    [
      'a missing value',
      'restore web1',
      'missing',
      'restore needs snapshot: the name of a snapshot such as daily-20261122T0300Z. Usage: /backup restore <instance> <snapshot> [--stateful] [--disk-only]',
    ],
    [
      'a word too many',
      'restore web1 x y',
      'extra',
      '"y" is one argument too many. Usage: /backup restore <instance> <snapshot> [--stateful] [--disk-only]',
    ],
    [
      'a glob where one is meant',
      'restore web* x',
      'invalid',
      'instance: expected one instance such as web1, default/web1 or main/default/web1 (no * or ?), got "web*"',
    ],
    [
      'a volume without a pool',
      `release :data ${DAILY}`,
      'invalid',
      'instance: expected one instance such as web1, default/web1 or main/default/web1 (no * or ?), got ":data"',
    ],
    [
      'a path that is too long',
      'now a/b/c/d',
      'invalid',
      'instances: expected instances such as web1 or main/default/web1, or globs such as db*, got "a/b/c/d"',
    ],
    [
      'a path with a hole',
      'now main//web1',
      'invalid',
      'instances: expected instances such as web1 or main/default/web1, or globs such as db*, got "main//web1"',
    ],
    [
      'an instance with a wrong letter',
      'now web1,web2',
      'invalid',
      'instances: expected instances such as web1 or main/default/web1, or globs such as db*, got "web1,web2"',
    ],
    [
      'a snapshot with its instance',
      'restore web1 web1/x',
      'invalid',
      'snapshot: expected the name of a snapshot such as daily-20261122T0300Z, got "web1/x"',
    ],
    [
      'a policy in capitals',
      'resume Daily',
      'invalid',
      'policy: expected the name of a policy such as daily, in lower case, got "Daily"',
    ],
    [
      'a duration in words',
      'pause daily tomorrow',
      'invalid',
      'duration: expected a duration such as 15m, 2h or 1d12h, got "tomorrow"',
    ],
    [
      'no time at all',
      'pause daily 0s',
      'invalid',
      'duration: expected a duration such as 15m, 2h or 1d12h, got "0s"',
    ],
    [
      'help on nothing',
      'help restroe',
      'invalid',
      'command: there is no command "restroe"; did you mean restore?',
    ],
    ['an open quote', "now 'db*", 'quote', 'A quote is not closed, after "\'db*": add the closing one.'],
    [
      'an open typographic quote',
      'now “db*',
      'quote',
      'A quote is not closed, after "“db*": add the closing one.',
    ],
    [
      'a hidden character',
      'now web1\u0000',
      'unreadable',
      'The command contains an invisible character. Type it by hand.',
    ],
    [
      'a turn of direction',
      'now web1\u202e',
      'unreadable',
      'The command contains an invisible character. Type it by hand.',
    ],
    [
      'half a character',
      'now \ud800',
      'unreadable',
      'The command contains an invisible character. Type it by hand.',
    ],
    [
      'a long line',
      `now ${'web1 '.repeat(500)}`,
      'too-long',
      'A command has at most 2000 characters; this one has 2504.',
    ],
    [
      'a long word',
      `now ${'w'.repeat(301)}`,
      'too-long',
      `A word has at most 300 characters: "${'w'.repeat(57)}…" is longer.`,
    ],
    [
      'many words',
      `now ${'w '.repeat(100)}`,
      'too-long',
      'A command has at most 100 words; this one has 101.',
    ],
    [
      'a long note',
      `hold web1 x ${'word '.repeat(61)}`,
      'invalid',
      /^note: expected a few words, at most 300 characters, got "word word/,
    ],
    ['nothing to take', 'now', 'refused', /^Say which: \/backup now web1 .*\/backup now '\*' for all/],
    ['nothing to expire', 'expire', 'refused', /^Say which: \/backup expire web1 /],
    ['snapshots of nowhere', "expire --snapshot='*'", 'refused', /^Say which: \/backup expire web1 /],
  ])('%s', (_, line, code, text) => {
    expect(mistakeOf(line)).toEqual({
      code,
      text: typeof text === 'string' ? text : expect.stringMatching(text),
    })
  })
})

describe("a platform's own form", () => {
  const parse = (name: string, options: Record<string, string>) => {
    const parsed = parseOptions(name, options, commands)
    return parsed.ok ? parsed.value.line : parsed.error.text
  }

  test.each([
    ['options by name', 'restore', { snapshot: DAILY, instance: 'web1' }, `restore web1 ${DAILY}`],
    ['a list in one option', 'now', { instances: " web1  'db*' " }, 'now web1 db*'],
    [
      'words as they are',
      'hold',
      { instance: 'web1', snapshot: 'x', note: '--don\'t\n "touch"' },
      'hold web1 x "--don\'t \\"touch\\""',
    ],
    ['a line in an option', 'plan', { line: " now 'web1' " }, "plan now 'web1'"],
    ['an empty option', 'help', { command: ' ' }, 'help'],
    [
      'an option missing',
      'resume',
      {},
      'resume needs policy: the name of a policy such as daily, in lower case. Usage: /backup resume <policy>',
    ],
    [
      'an option that there isn’t',
      'resume',
      { polcy: 'x' },
      'resume has no "polcy". Did you mean --policy=…?',
    ],
    [
      'two words for one',
      'resume',
      { policy: 'daily weekly' },
      'policy: expected the name of a policy such as daily, in lower case, got "daily weekly"',
    ],
    [
      'an open quote',
      'now',
      { instances: "'web1" },
      'A quote is not closed, after "\'web1": add the closing one.',
    ],
    ['a command that there isn’t', 'nwo', {}, 'There is no command "nwo"; did you mean now?'],
    [
      'what could not be typed',
      'hold',
      { instance: 'web1', snapshot: 'x', note: '\ud800' },
      'The command contains an invisible character. Type it by hand.',
    ],
  ])('%s', (_, name, options, line) => {
    expect(parse(name, options as Record<string, string>)).toBe(line)
  })
})

describe('whatever comes', () => {
  const word = fc.oneof(
    fc.constantFrom(...commands.map(({ name }) => name)),
    fc.constantFrom(
      'web1',
      'db*',
      'main/default/web1',
      DAILY,
      '2h',
      '20',
      '""',
      "'a b'",
      '“x y”',
      '-',
      '—',
      '--',
    ),
    fc.constantFrom(...commands.flatMap(({ parameters }) => parameters.map(({ name }) => `--${name}`))),
    fc.constantFrom(...commands.flatMap(({ parameters }) => parameters.map(({ name }) => `—${name}=web1`))),
    fc.string({ unit: fc.constantFrom(...'"“”„\'’\\-—=/*? \ta1é'), maxLength: 12 }),
  )
  const line = fc.oneof(
    fc.array(word, { maxLength: 8 }).map((words) => words.join(' ')),
    fc
      .tuple(fc.constantFrom(...commands.map(({ name }) => name)), fc.array(word, { maxLength: 6 }))
      .map(([name, words]) => [name, ...words].join(' ')),
    fc.string({ unit: 'binary', maxLength: 400 }),
    fc.string({
      unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
      maxLength: 60,
    }),
  )

  test('a line is a command or a mistake that can be read, and what was parsed parses again to the same', () => {
    let sound = 0
    fc.assert(
      fc.property(line, (text) => {
        const parsed = parseLine(text, commands)
        if (parsed.ok) sound++
        if (parsed.ok) expect(parseLine(parsed.value.line, commands)).toEqual(parsed)
        else expect(parsed.error.text).toMatch(/^\S.{10,800}$/s)
      }),
      { numRuns: 4000 },
    )
    expect(sound).toBeGreaterThan(400)
  })

  test('so are options', () => {
    const strange = fc.oneof(word, fc.string({ unit: 'binary', maxLength: 400 }))
    const free = fc.oneof(strange, fc.string({ unit: 'grapheme', maxLength: 300 }))
    const fit: Record<Parameter['kind'], fc.Arbitrary<string>> = {
      instance: fc.constantFrom('web1', 'main/default/web1'),
      instances: fc.constantFrom('web1', "'db*'  web1", ' * '),
      snapshot: fc.oneof(fc.constant(DAILY), fc.string({ unit: 'grapheme-ascii', maxLength: 20 })),
      name: fc.constantFrom('web1-old', 'backup'),
      policy: fc.constantFrom('daily', 'a-b'),
      path: fc.oneof(
        fc.constantFrom('/', '/etc/hosts', '//etc/'),
        fc.string({ unit: 'grapheme', maxLength: 20 }),
      ),
      duration: fc.constantFrom('2h', '1d12h'),
      count: fc.constantFrom('1', '1000'),
      switch: fc.constantFrom('yes', 'No'),
      command: fc.constantFrom(...commands.map(({ name }) => name)),
      line: free,
      text: free,
    }
    const optionOf = ({ name, kind }: Parameter): fc.Arbitrary<[string, string][]> =>
      fc.oneof(
        { arbitrary: fit[kind].map((value): [string, string][] => [[name, value]]), weight: 8 },
        { arbitrary: strange.map((value): [string, string][] => [[name, value]]), weight: 1 },
        { arbitrary: fc.constant<[string, string][]>([]), weight: 2 },
      )
    const optionsOf = ({ parameters }: Command): fc.Arbitrary<Record<string, string>> =>
      fc.tuple(...parameters.map(optionOf)).map((options) => Object.fromEntries(options.flat()))
    const asked = fc
      .constantFrom(...commands)
      .chain((command) => fc.tuple(fc.constant(command.name), optionsOf(command)))
    let sound = 0
    fc.assert(
      fc.property(asked, ([name, options]) => {
        const parsed = parseOptions(name, options, commands)
        if (parsed.ok) sound++
        if (parsed.ok) expect(parseLine(parsed.value.line, commands)).toEqual(parsed)
        else expect(parsed.error.text).toMatch(/^\S.{10,800}$/s)
      }),
      { numRuns: 4000 },
    )
    expect(sound).toBeGreaterThan(400)
  })

  // Backtracking would take longer than any test may.
  test('ends on what makes expressions backtrack', () => {
    for (const text of [
      "'".repeat(2000),
      '\\'.repeat(2000),
      `now ${'*'.repeat(290)}`,
      'a'.repeat(1e6),
      '—'.repeat(2000),
    ])
      expect(parseLine(text, commands).ok || mistakeOf(text) !== null).toBe(true)
  })
})
