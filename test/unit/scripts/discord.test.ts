import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { commands } from '../../../shared/command/commands.ts'
import { discordCommands } from '../../../shared/command/discord.ts'
import { APPLICATION, type FakeDiscord, GUILD, startDiscord, TOKEN } from './fake-discord.ts'
import { runScript } from './script.ts'

let discord: FakeDiscord
let folder: string

beforeAll(async () => {
  discord = await startDiscord()
})
afterAll(() => discord.close())
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stapes-discord-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const npmRunDiscord = (env: Record<string, string>, args: string[] = []) =>
  runScript('discord', { cwd: folder, env, args })

const settings = () => ({
  DISCORD_API: discord.api,
  DISCORD_APPLICATION_ID: APPLICATION,
  DISCORD_BOT_TOKEN: TOKEN,
})

describe('npm run discord', () => {
  test('registers in one guild', async () => {
    expect(await npmRunDiscord({ ...settings(), DISCORD_GUILD_ID: GUILD })).toEqual({
      code: 0,
      out: [`registered /backup with ${commands.length} subcommands in guild ${GUILD}`],
      errors: [],
    })
    const path = `/api/v10/applications/${APPLICATION}/guilds/${GUILD}/commands`
    expect(discord.registered.get(path)).toEqual(discordCommands(commands))
  })

  test('registers everywhere without a guild, and reads .env', async () => {
    const lines = Object.entries(settings()).map(([name, value]) => `${name}=${value}`)
    writeFileSync(join(folder, '.env'), [...lines, 'DISCORD_GUILD_ID='].join('\n'))
    const ended = await npmRunDiscord({})
    expect(ended).toMatchObject({ code: 0, out: [expect.stringMatching(/ in every guild$/)] })
    expect(discord.registered.has(`/api/v10/applications/${APPLICATION}/commands`)).toBe(true)
  })

  test('prints what it would register, needing nothing', async () => {
    const { code, out } = await npmRunDiscord({}, ['--dry-run'])
    expect(code).toBe(0)
    expect(JSON.parse(out.join('\n'))).toEqual(discordCommands(commands))
  })

  test('says what is missing', async () => {
    expect(await npmRunDiscord({ DISCORD_GUILD_ID: 'my guild' })).toEqual({
      code: 2,
      out: [],
      errors: [
        'DISCORD_APPLICATION_ID: set it to the id of the application',
        'DISCORD_BOT_TOKEN: set it to the token of its bot',
        'DISCORD_GUILD_ID: set it to the id of the guild, or leave it empty',
        'Set these in the environment, or in .env.',
      ],
    })
  })

  test.each([
    ['an option that there is not', '--dryrun'],
    ['a word that it does not take', 'stapes.jsonc'],
  ])('says how it is used, given %s', async (_, word) => {
    const ended = await npmRunDiscord({}, [word])
    expect(ended).toEqual({ code: 2, out: [], errors: ['usage: npm run discord [-- --dry-run]'] })
  })
})

describe('a refusal says what to do', () => {
  test.each([
    [
      'a wrong token',
      { DISCORD_BOT_TOKEN: 'x' },
      null,
      ['Discord says 401: 401: Unauthorized', /copy it from the page "Bot"/],
    ],
    [
      'a guild that it is not in',
      { DISCORD_GUILD_ID: `${GUILD}0` },
      null,
      ['Discord says 403: Missing Access', /scope applications\.commands/],
    ],
    [
      'an application that there isn’t',
      { DISCORD_APPLICATION_ID: GUILD },
      null,
      ['Discord says 404: Unknown Application', /^Check DISCORD_APPLICATION_ID/],
    ],
    [
      'too many requests',
      {},
      { status: 429, body: { message: 'You are being rate limited.', retry_after: 11.2, global: false } },
      ['Discord says 429: You are being rate limited.', 'Try again in 12 s.'],
    ],
    [
      'too many requests, by its edge',
      {},
      { status: 429, headers: { 'retry-after': '60' }, body: null },
      ['Discord says 429: null', 'Try again in 60 s.'],
    ],
    [
      'commands that it does not take',
      {},
      { status: 400, body: { message: 'Invalid Form Body', errors: { a: 1 } } },
      ['Discord says 400: Invalid Form Body', '{"a":1}', /--dry-run$/],
    ],
    [
      'an outage',
      {},
      '<html>Bad Gateway</html>',
      ['Discord says 502: <html>Bad Gateway</html>', 'Try again later.'],
    ],
    [
      'a redirect',
      {},
      { status: 307, headers: { location: 'http://127.0.0.1:1/' }, body: null },
      [/^Discord can't be reached at .*: try again later\.$/],
    ],
  ])('%s', async (_, env, next, lines) => {
    discord.next = next
    const ended = await npmRunDiscord({ ...settings(), ...env } as Record<string, string>)
    expect(ended.code).toBe(1)
    expect(ended.errors).toEqual(
      lines.map((line) => (typeof line === 'string' ? line : expect.stringMatching(line))),
    )
    expect(ended.errors.join('\n')).not.toContain(TOKEN)
  })

  test('nobody there', async () => {
    const ended = await npmRunDiscord({ ...settings(), DISCORD_API: 'http://127.0.0.1:1' })
    expect(ended).toMatchObject({
      code: 1,
      errors: [expect.stringMatching(/^Discord can't be reached at http:\/\/127\.0\.0\.1:1 \(/)],
    })
  })
})
