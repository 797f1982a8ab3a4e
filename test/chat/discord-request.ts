/** Signed interactions as Discord sends them, of an application that exists only here. */

import { generateKeyPairSync, sign } from 'node:crypto'
import { commands } from '../../shared/command/commands.ts'

export type Person = {
  /** null: a direct message. */
  guild: string | null
  channel: string
  user: string
  roles: string[]
  name: string
}

export const alice: Person = {
  guild: '4100000000000000001',
  channel: '4200000000000000001',
  user: '4300000000000000001',
  roles: ['4400000000000000001', '4400000000000000002'],
  name: 'Alice',
}

export type Interaction = Readonly<Record<string, unknown>> & {
  id: string
  type: 1 | 2 | 3 | 4
  token: string
  message?: { id: string }
}

export type DiscordApp = {
  /** 64 hex digits. */
  publicKey: string
  applicationId: string
  ping(): Interaction
  command(by: Person, name: string, options?: Record<string, string | number | boolean>): Interaction
  press(by: Person, token: string, message?: string): Interaction
  /** `focused`: which of the options is being typed. */
  complete(by: Person, name: string, options: Record<string, string>, focused: string): Interaction
  /** `body`: an interaction, or a text that is signed as it is; `at`: the same. */
  request(body: Interaction | string, at: Date | string): { headers: Headers; body: string }
}

/** Subcommands that are registered apart. */
const SELDOM = new Set(commands.flatMap(({ name, seldom }) => (seldom === true ? [name] : [])))

/** Types of options, where the value tells it: text, whole number, yes or no. */
const OPTION_TYPES = { string: 3, number: 4, boolean: 5 } as const

export function createDiscordApp(applicationId = '4000000000000000001'): DiscordApp {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  let sent = 0
  const interaction = (type: Interaction['type'], rest: Record<string, unknown>): Interaction => {
    const id = String(4500000000000000000n + BigInt(++sent))
    const token = Buffer.from(`interaction:${id}:${applicationId}`).toString('base64url')
    return { id, application_id: applicationId, type, token, version: 1, ...rest }
  }
  const backup = (name: string, options: Record<string, unknown>[]) => ({
    data: {
      ...{ id: '4600000000000000001', type: 1, name: SELDOM.has(name) ? 'backup-more' : 'backup' },
      options: [{ type: 1, name, options }],
    },
  })
  return {
    publicKey: publicKey.export({ format: 'der', type: 'spki' }).subarray(-32).toString('hex'),
    applicationId,
    ping: () => interaction(1, {}),
    command: (by, name, options = {}) =>
      interaction(2, { ...whereOf(by), ...backup(name, Object.entries(options).map(encodeOption)) }),
    press: (by, token, message = '4700000000000000001') =>
      interaction(3, {
        ...whereOf(by),
        message: { id: message },
        data: { component_type: 2, custom_id: token, id: 2 },
      }),
    complete: (by, name, options, focused) =>
      interaction(4, {
        ...whereOf(by),
        ...backup(
          name,
          Object.entries(options).map((entry) => ({
            ...encodeOption(entry),
            ...(entry[0] === focused ? { focused: true } : {}),
          })),
        ),
      }),
    request(given, at) {
      const body = typeof given === 'string' ? given : JSON.stringify(given)
      const timestamp = typeof at === 'string' ? at : String(Math.floor(at.getTime() / 1000))
      const signature = sign(null, Buffer.from(timestamp + body), privateKey).toString('hex')
      const headers = {
        'content-type': 'application/json',
        'x-signature-ed25519': signature,
        'x-signature-timestamp': timestamp,
      }
      return { headers: new Headers(headers), body }
    },
  }
}

const encodeOption = ([name, value]: [string, string | number | boolean]) => ({
  name,
  type: OPTION_TYPES[typeof value as keyof typeof OPTION_TYPES],
  value,
})

/** What the command, its button and its completion have in common, with keys that stapes has no use for. */
function whereOf({ guild, channel, user, roles, name }: Person) {
  const person = {
    id: user,
    username: name.toLowerCase(),
    global_name: name,
    discriminator: '0',
    avatar: null,
  }
  const where = { channel_id: channel, channel: { id: channel, type: 0 }, locale: 'en-GB' }
  if (guild === null) return { ...where, user: person, context: 1 }
  const member = { user: person, nick: null, roles, permissions: '0', joined_at: '2026-01-01T00:00:00Z' }
  return { ...where, guild_id: guild, member, context: 0 }
}
