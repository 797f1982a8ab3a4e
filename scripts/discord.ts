/**
 * `npm run discord [-- --dry-run]`: registers `/backup` with its subcommands at Discord, in the guild that
 * DISCORD_GUILD_ID names or else in all; again after each update of stapes. It replaces whatever commands
 * the application had there. `--dry-run` prints them.
 */
import { commands } from '../shared/command/commands.ts'
import { discordCommands } from '../shared/command/discord.ts'
import { register } from './discord/register.ts'
import { fail } from './fail.ts'
import { readOptions } from './options.ts'
import { loadEnvironment } from './remote.ts'

const API = 'https://discord.com/api/v10'

/** Ids are numbers of 64 bits. */
const ID = /^\d{15,20}$/

const body = discordCommands(commands)
if (readOptions(['dry-run'], 0, 'npm run discord [-- --dry-run]').given['dry-run']) {
  console.log(JSON.stringify(body, null, 2))
} else {
  const { token, ...place } = readSettings()
  const registered = await register(body, place, token)
  if (!registered.ok) fail(registered.error)
  const where = place.guild === null ? 'every guild' : `guild ${place.guild}`
  console.log(`registered /backup with ${commands.length} subcommands in ${where}`)
}

function readSettings() {
  loadEnvironment()
  const { DISCORD_API: api = API, DISCORD_APPLICATION_ID: application = '' } = process.env
  const { DISCORD_BOT_TOKEN: token = '', DISCORD_GUILD_ID: guild = '' } = process.env
  const wrong = [
    ...(ID.test(application) ? [] : ['DISCORD_APPLICATION_ID: set it to the id of the application']),
    ...(/^\S+$/.test(token) ? [] : ['DISCORD_BOT_TOKEN: set it to the token of its bot']),
    ...(guild === '' || ID.test(guild)
      ? []
      : ['DISCORD_GUILD_ID: set it to the id of the guild, or leave it empty']),
  ]
  if (wrong.length > 0) return fail([...wrong, 'Set these in the environment, or in .env.'], 2)
  return { api, application, token, guild: guild === '' ? null : guild }
}
