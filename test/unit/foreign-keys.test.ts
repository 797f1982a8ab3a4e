/** No lookup by a name that others choose in a plain object, which has members that nobody put there. */
import { describe, expect, test } from 'vitest'
import { codeOf, sourcesOf } from '../sources.ts'

/** What a computed member access looks like: `object[key]`, `object?.[key]`. Strings and patterns are no code. */
const ACCESS = /([\w$]+|\)|\])(?:\?\.|!)?\[((?:[^[\]]|\[[^[\]]*\])+)\]/g
const PATTERN = /(?<=[(,=:[!&|?{};]\s*)\/(?![*/\s])(?:\\.|\[(?:\\.|[^\]\\])*\]|[^/\\\n[])+\/[a-z]*/g
const bare = (code: string): string =>
  code
    .replace(/(?<!:)\/\/.*$/gm, '')
    .replace(/'(?:\\.|[^'\\\n])*'/g, "''")
    .replace(PATTERN, '/x/')

/** Places in lists, types, and constants of ours. */
const PLACE =
  /^(?:\d+|(?:at|index|place|nth|i|j|from|step|edits|alsoWaitFor)(?: [-+] \d+)?|[\w.]+\.length(?: - 1)?|.*\b(?:at|index)\b.*)$/
const isOurs = (object: string, key: string, foreign: ReadonlySet<string>): boolean =>
  PLACE.test(key) ||
  /^(?:''|number|keyof .*|[A-Z]\w*)$/.test(key) ||
  (/^[A-Z][A-Z_]*$/.test(object) && !foreign.has(object))

/** Keys that are words of ours, by the type that the object is declared with. */
const OURS: Record<string, RegExp> = {
  'shared/own.ts': /^map$/,
  'shared/chat/tally.ts': /^tally$/,
  'shared/command/commands/policies.ts': /^keep$/,
  'shared/command/parse.ts': /^values$/,
  'shared/incus/expiry.ts': /^expiry$/,
  'shared/incus/project-rules.ts': /^(rules|there)$/,
  'shared/incus/route.ts': /^\)$/,
  'shared/incus/routes.ts': /^(routes|templates|parameters|query)$/,
  'shared/policy/checks.ts': /^(copy|other)$/,
  'shared/policy/fill.ts': /^(filled|given|NotifySettings)$/,
  'shared/policy/merge.ts': /^filled$/,
  'shared/policy/notify-checks.ts': /^(given|NotifySettings)$/,
  'shared/policy/misplaced.ts': /^config$/,
  'shared/policy/warnings.ts': /^(keep|\))$/,
  'shared/retention/rules.ts': /^keep$/,
  'shared/retention/within.ts': /^within$/,
  'shared/work/copy/fit.ts': /^rules$/,
  'shared/work/copy/place.ts': /^there$/,
  'functions/api/endpoints.ts': /^paths$/,
  'functions/chatops/configure.ts': /^env$/,
  'functions/chatops/routes.ts': /^\)$/,
  'functions/env.ts': /^env$/,
  'functions/notify/secrets.ts': /^(secrets|found)$/,
  'functions/notify/send.ts': /^services$/,
  'relay/authenticate.ts': /^headers$/,
  'relay/engine/allow.ts': /^routes$/,
  'relay/engine/job.ts': /^remotes$/,
  'relay/engine/references.ts': /^\)$/,
  'relay/environment.ts': /^(environment|merged)$/,
  'scripts/trust/arguments.ts': /^values$/,
  'scripts/options.ts': /^(values|env)$/,
  'scripts/remote.ts': /^env$/,
  'scripts/start/chat.ts': /^environment$/,
  'scripts/start/link.ts': /^environment$/,
  'scripts/start/ticks.ts': /^(started|run)$/,
}

/** Constants that are asked for texts of others, such as an error's code. */
const foreignConstants = (codes: readonly string[]): ReadonlySet<string> =>
  new Set(
    codes.flatMap((code) =>
      [...code.matchAll(/const ([A-Z_]+): Record<string,/g)].map(([, name = '']) => name),
    ),
  )

const lookupsIn = (file: string, code: string, foreign: ReadonlySet<string>): string[] =>
  [...bare(code).matchAll(ACCESS)]
    .filter(([, object = '', key = '']) => !isOurs(object, key, foreign) && OURS[file]?.test(object) !== true)
    .map(([access]) => `${file}: ${access}`)

/** Where Object.assign, which sets a prototype by `__proto__`, joins only what is ours. */
const ASSIGNS = ['shared/plan/world.ts', 'shared/work/verbs.ts', 'relay/engine/user-keys.ts']

describe('a policy, an instance or a remote may be called constructor, and a key __proto__', () => {
  const files = ['shared', 'functions', 'relay', 'scripts'].flatMap((folder) => sourcesOf(folder))
  const foreign = foreignConstants(files.map(codeOf))

  test('so what others name is asked for by own() or a Map, and never by object[key]', () => {
    expect(files.flatMap((file) => lookupsIn(file, codeOf(file), foreign))).toEqual([])
  })

  test('so records are joined by merged() or fromEntries(), and never by Object.assign or for in', () => {
    const joined = files.filter((file) => /\bObject\.assign\(|\bfor \(const \w+ in /.test(codeOf(file)))
    expect(joined.filter((file) => !ASSIGNS.includes(file))).toEqual(['shared/incus/routes.ts'])
  })

  test('the law would notice', () => {
    const seen = (code: string) => lookupsIn('x.ts', code, new Set(['REASONS']))
    for (const code of [
      'ledger.policies[policy.name]',
      'remotes[ref.remote]',
      'open.attempts?.[key]',
      'kept[key] = value',
      'REASONS[error.code]',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: it is code that is looked at
      'values[`${name}`]',
      'all(them)[name]',
    ])
      expect([code, seen(code).length]).toEqual([code, 1])
    for (const code of [
      'list[0]',
      'list[at + 1]',
      "x['a']",
      'SIGNS[tone]',
      'config[VERIFIED]',
      '/[a-z][a-z]/',
    ])
      expect([code, seen(` = ${code}`)]).toEqual([code, []])
  })
})
