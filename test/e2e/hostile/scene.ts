/** The whole of stapes with people on three platforms, whose every request can be forged. */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { PlatformName } from '../../../shared/chat/actor.ts'
import { commands } from '../../../shared/command/commands.ts'
import { parseLine } from '../../../shared/command/parse.ts'
import { createDiscordEndpoint, type DiscordEndpoint } from '../../chat/discord-endpoint.ts'
import {
  createDiscordApp,
  type DiscordApp,
  type Interaction,
  type Person,
} from '../../chat/discord-request.ts'
import { MattermostEndpoint } from '../../chat/mattermost-endpoint.ts'
import { mattermostCommand, mattermostPress } from '../../chat/mattermost-request.ts'
import { SlackEndpoint } from '../../chat/slack-endpoint.ts'
import { type ChatRequest, slackCommand, slackPress } from '../../chat/slack-request.ts'
import { type EmbeddedContractPair, openEmbedded } from '../../emulator/contract-pair.ts'
import { never } from '../../emulator/dates.ts'
import { instanceOf } from '../../emulator/scene.ts'
import { snapshotTask } from '../../emulator/snapshots.ts'
import { openStage, type Stage } from '../stage.ts'
import { perform } from './judge.ts'
import type { Sent } from './row.ts'
import { CHANNELS, DOCUMENT, INSTANCES, SNAPSHOTS, TEAMS, userOf, type Who } from './world.ts'

/** Where somebody says to be, and who; absent: as they are. */
export type Guise = { team?: string; channel?: string; user?: string; name?: string; at?: Date }

export type Scene = {
  stage: Stage
  incus: EmbeddedContractPair['incus']
  slack: SlackEndpoint
  discord: DiscordEndpoint
  mattermost: MattermostEndpoint
  signingSecret: string
  app: DiscordApp
  /** Mattermost's. */
  token: string
  /** Base64: what confirmations are made with. */
  relayKey: string
  /** What went to any place but the relay, the oldest first. */
  sent: { url: string; body: string }[]
  /** Edits of Discord's messages wait for this, as they are slower than the answer. */
  hold(until: Promise<void>): void
  command(platform: PlatformName, line: string, who: Who, guise?: Guise): Sent
  press(platform: PlatformName, token: string, who: Who, guise?: Guise): Sent
  person(who: Who, guise?: Guise): Person
  interact(interaction: Interaction, at?: Date | string): Sent
  nextTrigger(): string
  /** Sends what is honest, and waits for its end. */
  perform(sent: Sent): Promise<void>
  /** Asks for something destructive; the tokens of the plan's buttons. */
  propose(platform: PlatformName, line: string, who: Who, guise?: Guise): Promise<Tokens>
}

export type Tokens = { confirm: string; cancel: string }

const CHANNEL_URL = 'https://discord.com/api/webhooks/4800000000000000001/secret'

export async function openScene(): Promise<Scene> {
  const now = () => new Date()
  const [slack, mattermost, app] = [new SlackEndpoint(now), new MattermostEndpoint(now), createDiscordApp()]
  const discord = createDiscordEndpoint({ applicationId: app.applicationId, channelUrl: CHANNEL_URL, now })
  const [signingSecret, token] = [randomBytes(16).toString('hex'), `${randomBytes(12).toString('hex')}Aa`]
  const sent: Scene['sent'] = []
  let held = Promise.resolve()
  const outside = async (request: Request): Promise<Response> => {
    sent.push({ url: request.url, body: await request.clone().text() })
    if (request.url.startsWith('https://hooks.slack.com/')) return slack.handle(request)
    if (request.url.startsWith(`${mattermost.origin}/`)) return mattermost.handle(request)
    await held
    return request.url.startsWith('https://discord.com/') ? discord.handle(request) : new Response('who?')
  }
  const secrets = {
    ...{ SLACK_SIGNING_SECRET: signingSecret, SLACK_CHANNEL_URL: slack.webhook },
    ...{ DISCORD_PUBLIC_KEY: app.publicKey, DISCORD_APPLICATION_ID: app.applicationId },
    ...{ DISCORD_CHANNEL_URL: CHANNEL_URL, MATTERMOST_TOKENS: `${'z'.repeat(26)},${token}` },
    ...{ MATTERMOST_URL: mattermost.origin, MATTERMOST_CHANNEL_URL: mattermost.webhook },
  }
  const relayKey = randomBytes(32)
  const pair = await openEmbedded()
  const stage = await openStage(
    async () => ({ ...pair, restore: async () => null }),
    { secrets, outside: (request) => (isElsewhere(request) ? outside(request) : null) },
    { id: 'hostile', secret: relayKey },
  )
  await furnish(stage, pair.incus.main)
  let triggers = 0
  const nextTrigger = (): string => `trigger${++triggers}`
  const person = (who: Who, { team, channel, user, name = who }: Guise = {}): Person => ({
    ...{ guild: team ?? TEAMS.discord, channel: channel ?? CHANNELS.discord, name },
    ...{ user: user ?? userOf('discord', who), roles: [] },
  })
  const interact: Scene['interact'] = (interaction, at = now()) => {
    discord.begin(interaction)
    const waits = { platform: 'discord' as const, token: interaction.token }
    return { ...plain('/chat/discord', app.request(interaction, at)), waits }
  }
  const callerOf = (platform: PlatformName, who: Who, guise: Guise) => ({
    ...{ team: TEAMS[platform], channel: CHANNELS[platform], user: userOf(platform, who), name: who },
    ...guise,
  })
  const scene: Scene = {
    ...{ stage, slack, discord, mattermost, signingSecret, app, token, sent, person, interact, nextTrigger },
    relayKey: relayKey.toString('base64'),
    incus: pair.incus,
    hold(until) {
      held = until
    },
    command(platform, line, who, guise = {}) {
      const caller = callerOf(platform, who, guise)
      if (platform === 'discord') return interact(menu(app, person(who, guise), line), guise.at)
      if (platform === 'slack') {
        const slackCaller = { signingSecret, at: now(), responseUrl: slack.openCommand(), ...caller }
        const waits = { platform, kind: 'command' as const }
        return { ...plain('/chat/slack', slackCommand(line, slackCaller)), waits }
      }
      const own = { token, trigger: nextTrigger(), responseUrl: mattermost.openCommand() }
      const request = mattermostCommand(line, { ...caller, ...own })
      return { ...plain('/chat/mattermost', request), waits: { platform, kind: 'command' } }
    },
    press(platform, token, who, guise = {}) {
      const caller = callerOf(platform, who, guise)
      if (platform === 'discord') return interact(app.press(person(who, guise), token), guise.at)
      const waits = { platform, kind: 'press' as const }
      if (platform === 'slack') {
        const [message = EMPTY] = slack.messages.filter(({ buttons }) => buttons.length > 0).slice(-1)
        const responseUrl = slack.openPress(message)
        const request = slackPress(token, { signingSecret, at: now(), responseUrl, ...caller })
        return { ...plain('/chat/slack', request), waits }
      }
      const request = mattermostPress({ token }, { ...caller, trigger: nextTrigger() })
      return { ...plain('/chat/mattermost/press', request), waits }
    },
    perform: (sent) => perform(sent, scene),
    async propose(platform, line, who, guise) {
      await perform(scene.command(platform, line, who, guise), scene)
      const shown = {
        slack: () => slack.messages.flatMap(({ buttons }) => buttons.map(({ value }) => value)),
        discord: () => discord.shown().flatMap(({ buttons }) => buttons.map((button) => button.token)),
        mattermost: () =>
          mattermost.messages.flatMap(({ buttons }) =>
            buttons.map(({ context }) => (context as { token: string }).token),
          ),
      }[platform]()
      const [confirm, cancel] = shown.slice(-2)
      if (confirm === undefined || cancel === undefined) throw new Error(`no plan of ${line} was shown`)
      return { confirm, cancel }
    },
  }
  return scene
}

const EMPTY: SlackEndpoint['messages'][number] = { to: 'channel', text: '', buttons: [], edits: 0 }

const isElsewhere = ({ url }: Request): boolean => !/^http:\/\/(127\.|localhost|\[::1\])/.test(url)

export const plain = (path: string, { headers, body }: ChatRequest): Sent => ({
  ...{ path, body },
  headers: Object.fromEntries(headers),
})

/** What Discord's own menus make of a line. */
function menu(app: DiscordApp, person: Person, line: string): Interaction {
  const parsed = parseLine(line, commands)
  if (parsed.ok) return app.command(person, parsed.value.command.name, { ...parsed.value.values })
  const [name = '', ...words] = line.split(' ')
  return app.command(person, name, words.length === 0 ? {} : { instances: words.join(' ') })
}

const instancesOf = ({ state }: EmbeddedContractPair['incus']['main']) =>
  [...state.projects.values()].flatMap(({ instances }) => [...instances.values()])

async function furnish(stage: Stage, main: EmbeddedContractPair['incus']['main']): Promise<void> {
  await stage.pair.main.createProject('fenced')
  for (const { remote, project, name } of INSTANCES)
    await stage.pair[remote].createInstance({ project, name, running: true })
  for (const [name, snapshot] of SNAPSHOTS)
    snapshotTask(
      main,
      instanceOf(main, { name }),
      { name: snapshot, expires: never, stateful: false },
      'default',
    )
  const made = () => instancesOf(main).flatMap(({ snapshots }) => [...snapshots.values()])
  const isMaking = () => made().length < SNAPSHOTS.length || made().some(({ inMaking }) => inMaking)
  while (isMaking()) await sleep(10)
  await stage.apply(DOCUMENT)
  // The ledger is there from now on, and nothing is under way.
  const body = JSON.stringify({ policies: ['attic'] })
  const ran = await stage.worker.fetch('/api/run', { method: 'POST', body })
  if (!ran.ok) throw new Error(`the first snapshot was refused: ${await ran.text()}`)
}
