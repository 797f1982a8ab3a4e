/** Registers the commands at Discord by PUT, which replaces all of the application's commands there. */
import type { DiscordCommand } from '../../shared/command/discord.ts'
import { err, ok, type Result } from '../../shared/result.ts'
import { causeOf } from '../session.ts'

type Place = {
  /** Such as https://discord.com/api/v10 */
  api: string
  application: string
  /** Null: every guild that the application is in. */
  guild: string | null
}

/** In milliseconds. */
const TIMEOUT = 15_000

/** Each line of an error says what to do. */
export async function register(
  commands: readonly DiscordCommand[],
  { api, application, guild }: Place,
  token: string,
): Promise<Result<undefined, string[]>> {
  const place = guild === null ? '' : `/guilds/${guild}`
  try {
    const response = await fetch(`${api.replace(/\/+$/, '')}/applications/${application}${place}/commands`, {
      method: 'PUT',
      redirect: 'error',
      headers: {
        authorization: `Bot ${token}`,
        'content-type': 'application/json',
        // Discord rejects clients without a User-Agent of this form.
        'user-agent': 'DiscordBot (stapes, 0.1.0)',
      },
      body: JSON.stringify(commands),
      signal: AbortSignal.timeout(TIMEOUT),
    })
    return response.ok ? ok(undefined) : err(await refusalOf(response))
  } catch (error) {
    return err([`Discord can't be reached at ${api} (${causeOf(error)}): try again later.`])
  }
}

async function refusalOf(response: Response): Promise<string[]> {
  const text = (await response.text()).slice(0, 2000)
  const { message, retry_after: wait, errors } = parseProblem(text)
  const said = `Discord says ${response.status}: ${message ?? text}`
  switch (response.status) {
    case 400:
      return [said, ...(errors === undefined ? [] : [JSON.stringify(errors)]), CHECK_COMMANDS]
    case 401:
      return [said, 'DISCORD_BOT_TOKEN is not a token of a bot that exists: copy it from the page "Bot".']
    case 403:
      return [said, NO_ACCESS]
    case 404:
      return [said, 'Check DISCORD_APPLICATION_ID (page "General Information") and DISCORD_GUILD_ID.']
    case 429:
      return [said, `Try again in ${secondsOf(wait ?? response.headers.get('retry-after'))}.`]
    default:
      return [said, 'Try again later.']
  }
}

const CHECK_COMMANDS = 'To see the commands that stapes registers: npm run discord -- --dry-run'

const NO_ACCESS =
  'The bot has no permission: DISCORD_APPLICATION_ID has to be its own application, and the application has to be added to the guild with the scope applications.commands.'

type Problem = { message?: string; retry_after?: number; errors?: unknown }

/** Its proxies answer in HTML now and then. */
function parseProblem(text: string): Problem {
  try {
    const parsed: unknown = JSON.parse(text)
    return typeof parsed === 'object' && parsed !== null ? parsed : {}
  } catch {
    return {}
  }
}

function secondsOf(wait: number | string | null): string {
  const seconds = Math.ceil(Number(wait))
  return Number.isFinite(seconds) && seconds > 0 ? `${seconds} s` : 'a minute'
}
