import { expect, test } from 'vitest'
import { ID_PATTERN, parseId } from '../../../shared/access/principal.ts'

const MM = 'gfn1yb8mu7rgdgqhm8bbbb8pca'

test.each([
  ['a user of Slack', 'slack:T024BE7LD/U024BE7LH'],
  ['a user of a Slack enterprise', 'slack:E024BE7LD/W012A3CDE'],
  ['a user on a Discord server', 'discord:197038439483310086/80351110224678912'],
  ['a role on a Discord server', 'discord:197038439483310086/@41771983423143936'],
  ['a user of Discord in direct messages', 'discord:@me/80351110224678912'],
  ['a user of Mattermost', `mattermost:${MM}/${MM}`],
])('%s may be granted something', (_, id) => {
  expect(parseId(id)).toEqual({ ok: true, value: id })
  expect(new RegExp(ID_PATTERN).test(id)).toBe(true)
})

test.each([
  ['a name', '@ada', "names don't count"],
  ['nothing', '', "names don't count"],
  ['a mail address', 'ada@example.org', "names don't count"],
  ['an id without its team', 'slack:U024BE7LH', 'expected slack:<team>/<user>'],
  ['an id in small letters', 'slack:t024be7ld/u024be7lh', 'expected slack:<team>/<user>'],
  ['a channel', 'slack:T024BE7LD/C024BE7LH', 'expected slack:<team>/<user>'],
  ['a wildcard', 'slack:T024BE7LD/*', 'expected slack:<team>/<user>'],
  ['a role where there are none', 'discord:@me/@8', 'expected discord:<server>/<user>'],
  ['a name of Discord', 'discord:7/ada', 'expected discord:<server>/<user>'],
  ['everyone of a server', 'discord:7/@everyone', 'expected discord:<server>/<user>'],
  ['an id that is too short', `mattermost:${MM}/abc`, 'expected mattermost:<team>/<user>'],
  ['more after an id', 'discord:7/8/9', 'expected discord:<server>/<user>'],
  ['a second line', 'discord:7/8\n', 'expected discord:<server>/<user>'],
  ['a platform with a typo', 'matermost:x/y', 'did you mean "mattermost:…"?'],
  ['a word that every object has', 'constructor:a/b', "names don't count"],
  ['the API', 'api', "names don't count"],
])('%s is no id', (_, text, said) => {
  const parsed = parseId(text)
  expect(parsed.ok ? '' : parsed.error).toContain(said)
  expect(new RegExp(ID_PATTERN).test(text)).toBe(false)
})

test('a long text is cut in what is said about it', () => {
  const parsed = parseId('x'.repeat(10_000))
  expect(parsed.ok ? 0 : parsed.error.length).toBeLessThan(400)
})
