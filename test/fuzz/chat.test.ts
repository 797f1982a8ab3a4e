/** Hostile requests at chat's doors: unsigned ones, and signed ones of people whom nobody granted anything. */
import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { mattermostCommand, mattermostPress } from '../chat/mattermost-request.ts'
import { type ChatRequest, signatureOf, slackCommand, slackPress } from '../chat/slack-request.ts'
import { COUNT, growthOf, PATIENCE, SEED, silence } from './effort.ts'
import { createDice, type Dice, garble, hostileBody, mutate, TEXTS } from './hostile.ts'
import { DOCUMENT, digest, hashOf, openPlace, type Place } from './place.ts'
import { MATTERMOST, openWorker, SECRETS, type Worker } from './worker.ts'

const ADMINS = {
  slack: 'slack:T1DC2JH3J/U0ADMIN00',
  discord: 'discord:4100000000000000001/4300000000000000009',
  mattermost: `mattermost:tteamteamteamteamteamteam1/${'a'.repeat(26)}`,
}
const LINES = [
  'status',
  'list',
  'whoami',
  'help',
  'now web',
  'plan now web',
  'restore web daily-20261120T0000Z',
  'files web daily-20261120T0015Z /',
  'put web daily-20261120T0015Z /marker',
]

/** Who asks is answered where the platform says, and nowhere else. */
const PLATFORMS: readonly string[] = ['https://hooks.slack.com', 'https://discord.com', MATTERMOST]

let place: Place
let worker: Worker
const sent: string[] = []
let triggers = 0

beforeAll(async () => {
  silence()
  vi.stubGlobal('fetch', async (target: RequestInfo) => {
    sent.push(new URL(new Request(target).url).origin)
    return Response.json({ ok: true })
  })
  place = await openPlace()
  worker = openWorker(place)
  const document = { ...DOCUMENT, access: { grants: [{ who: Object.values(ADMINS), role: 'admin' }] } }
  const headers = { authorization: `Bearer ${SECRETS.api}` }
  const applied = await worker.send('/api/config', { method: 'PUT', body: JSON.stringify(document), headers })
  expect(applied?.status).toBe(200)
})
afterAll(() => {
  vi.unstubAllGlobals()
})

const stateOf = (): string => hashOf(place.world) + digest([...worker.kv.values])

type Knock = ChatRequest & { path: string }

const person = {
  ...{ guild: '4100000000000000001', channel: '4200000000000000001', user: '4300000000000000001' },
  ...{ roles: ['4400000000000000001'], name: 'Somebody' },
}
const TOKEN = `c.plan.${Date.parse('2027-01-01') / 1000}.AAAAAAAAAAA.${'A'.repeat(22)}`

const KINDS = 7

/** What somebody without a grant sends by the platform's own buttons and menus. */
function honest(dice: Dice, kind = dice.below(KINDS)): Knock {
  const [line, discord] = [dice.pick(LINES), SECRETS.discord]
  const caller = {
    signingSecret: SECRETS.slack,
    at: worker.now(),
    responseUrl: 'https://hooks.slack.com/x/1',
  }
  const own = {
    token: SECRETS.mattermost,
    trigger: `trigger${++triggers}`,
    responseUrl: `${MATTERMOST}/hooks/commands/x`,
  }
  switch (kind) {
    case 0:
      return { path: '/chat/slack', ...slackCommand(line, caller) }
    case 1:
      return { path: '/chat/slack', ...slackPress(TOKEN, caller) }
    case 2:
      return { path: '/chat/mattermost', ...mattermostCommand(line, own) }
    case 3:
      return { path: '/chat/mattermost/press', ...mattermostPress({ token: TOKEN }, own) }
    case 4:
      return { path: '/chat/discord', ...discord.request(discord.press(person, TOKEN), worker.now()) }
    case 5: {
      const typing = discord.complete(person, 'now', { instances: 'w' }, 'instances')
      return { path: '/chat/discord', ...discord.request(typing, worker.now()) }
    }
    default: {
      const options = { instance: 'web', snapshot: 'daily-20261120T0000Z' }
      const asked = discord.command(person, line.split(' ')[0] ?? '', options)
      return { path: '/chat/discord', ...discord.request(asked, worker.now()) }
    }
  }
}

/** Somebody on the way, or anywhere: the body or the headers aren't those that were signed. */
function unsigned(dice: Dice): Knock {
  const { path, headers, body } = honest(dice)
  const changed = new Headers(headers)
  const names = [...changed.keys()].filter((name) => name !== 'content-type')
  const name = dice.pick(names)
  try {
    const how = dice.below(4)
    if (how < 2) changed.set(name, garble(changed.get(name) ?? '', dice))
    else if (how === 2) changed.delete(name)
    else changed.append(name, changed.get(name) ?? '')
  } catch {
    changed.set(name, 'x')
  }
  const foreign = path.startsWith('/chat/mattermost')
    ? body.replaceAll(SECRETS.mattermost, dice.pick(TEXTS))
    : `${body}&`
  const other = dice.chance(0.1)
    ? dice.pick(['/chat', '/chat/', '/chat/irc', '/chat/slack/press', '/chat/__proto__'])
    : path
  return { path: other, headers: changed, body: dice.chance(0.5) ? foreign : garble(foreign, dice) }
}

/** The platform signs what its user makes of it; a form's fields, or JSON. */
function signed(dice: Dice): Knock {
  const { path, headers, body } = honest(dice)
  if (path === '/chat/discord')
    return { path, ...SECRETS.discord.request(hostileBody(JSON.parse(body), dice), worker.now()) }
  const changed = body.startsWith('{') ? hostileBody(JSON.parse(body), dice) : hostileForm(body, dice)
  if (path !== '/chat/slack') return { path, headers, body: changed }
  const timestamp = String(Math.floor(worker.now().getTime() / 1000))
  return { path, headers: signatureOf(SECRETS.slack, timestamp, changed), body: changed }
}

function hostileForm(body: string, dice: Dice): string {
  const fields = Object.fromEntries(new URLSearchParams(body))
  const payload = fields.payload
  const changed =
    payload === undefined
      ? mutate(fields, dice)
      : { ...fields, payload: hostileBody(JSON.parse(payload), dice) }
  if (typeof changed !== 'object' || changed === null) return String(changed)
  const texts = Object.entries(changed).map(([name, value]): [string, string] => [name, String(value)])
  const text = new URLSearchParams(texts).toString()
  return dice.chance(0.2) ? garble(text, dice) : text
}

async function knock(share: number, dice: Dice, make: (dice: Dice) => Knock) {
  const statuses: Record<string, number> = {}
  for (let at = 0; at < COUNT * share; at++) {
    // A minute later, what was remembered against replays may be forgotten.
    if (at % 1000 === 0) await place.world.clock.advance(place.world.clock.now() + 60_000)
    const { path, headers, body } = make(dice)
    const response = await worker.send(path, { method: 'POST', headers, body })
    await response?.text()
    const status = String(response?.status ?? null)
    statuses[status] = (statuses[status] ?? 0) + 1
    worker.kv.reset()
  }
  return statuses
}

const failures = (statuses: Record<string, number>): string[] =>
  Object.keys(statuses).filter((status) => status.startsWith('5'))

test('the signatures of this test are those that the platforms make', async () => {
  const base = 'v0:1:x'
  const made = createHmac('sha256', SECRETS.slack).update(base).digest('hex')
  expect(signatureOf(SECRETS.slack, '1', 'x').get('x-slack-signature')).toBe(`v0=${made}`)
  for (let kind = 0; kind < KINDS; kind++) {
    const { path, headers, body } = honest(createDice(SEED), kind)
    expect([path, (await worker.send(path, { method: 'POST', headers, body }))?.status]).toEqual([path, 200])
  }
})

test.each([
  ['without a valid signature', unsigned],
  ['signed, of people without a grant,', signed],
])(`${COUNT} %s change nothing (seed ${SEED})`, { timeout: PATIENCE }, async (_, make) => {
  const before = stateOf()
  sent.length = 0
  const dice = createDice(SEED + 4)
  const grown = await growthOf(async (share) => {
    const statuses = await knock(share, dice, make)
    expect(failures(statuses)).toEqual([])
    expect((statuses['401'] ?? 0) + (statuses['200'] ?? 0)).toBeGreaterThan(0)
  })
  expect(stateOf()).toBe(before)
  expect({ grown, elsewhere: sent.filter((origin) => !PLATFORMS.includes(origin)) }).toEqual({
    grown: 0,
    elsewhere: [],
  })
})
