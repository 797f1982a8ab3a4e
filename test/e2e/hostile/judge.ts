/** Sends one request, waits for all that it set going, and tells whatever it did that it must not. */
import { setTimeout as sleep } from 'node:timers/promises'
import { render } from '../../emulator/render.ts'
import type { Call } from '../worker.ts'
import type { Outcome, Row, Sent } from './row.ts'
import type { Scene } from './scene.ts'
import { HIDDEN } from './world.ts'

type Answer = { status: number; text: string; body: unknown }
type Message = { to: 'caller' | 'channel'; text: string }

/** Everything that a request could change or read, before it or after it. */
type State = {
  incus: string
  kv: Record<string, string>
  called: number
  sent: number
  /** What people read now, and what the platforms refused so far: a list for each. */
  messages: Message[][]
  violations: string[][]
}

/** What was wrong; nothing, where the request was harmless. */
export async function judge(
  { outcome, request, spends, afterwards, anonymous }: Row,
  scene: Scene,
): Promise<string[]> {
  const sent = await request(scene)
  const before = await stateOf(scene)
  const answer = await deliver(sent, scene)
  await settle(answer, { awaited: 'says' in outcome ? outcome.says : undefined, calm: 2 }, before, scene)
  const after = await stateOf(scene)
  const calls = scene.stage.worker.called().slice(before.called)
  const outside = scene.sent.slice(before.sent)
  const messages = newIn(before.messages, after.messages)
  const violations = newIn(before.violations, after.violations)
  const strayed = 'turned' in outcome || anonymous ? changesIn(before.kv, after.kv, spends) : []
  const found = [
    ...(answer.status >= 500 ? [`a server error: ${answer.status} ${answer.text}`] : []),
    ...(before.incus === after.incus ? [] : [`Incus was changed:\n${before.incus}\n->\n${after.incus}`]),
    ...changesIn(lasting(before.kv), lasting(after.kv), spends),
    ...strayed.filter((change) => change.includes('request:')),
    ...calls.filter((call) => !READS.includes(call)).map((call) => `the relay was told to ${call}`),
    ...violations.map((violation) => `the platform would refuse: ${violation}`),
    ...mismatchesOf(outcome, answer, messages, outside.length + calls.length),
    ...leaksIn([answer.text, ...outside.map(({ body }) => body)].join('\n'), sent, scene),
  ]
  const remembered = Object.keys(after.kv).filter(isRequest)
  if (remembered.length >= 10) await scene.stage.worker.wipeKv(remembered)
  await afterwards?.(scene)
  return found
}

/** Of which nothing changes: a plan that would copy something reads its source, and what waits for it. */
const READS: readonly Call[] = ['look', 'read source']

/** Also what `render` leaves out: the marks in an instance's config. */
export const stateOf = async ({ incus, stage, sent, ...scene }: Scene): Promise<State> => ({
  incus: [incus.main, incus.backup].map((one) => `${render(one)}\n${marksOf(one)}`).join('\n'),
  kv: await stage.worker.readKv(),
  called: stage.worker.called().length,
  sent: sent.length,
  messages: messagesOf(scene),
  violations: violationsOf(scene),
})

const marksOf = ({ state }: Scene['incus']['main']): string =>
  JSON.stringify(
    [...state.projects.values()].flatMap(({ instances }) =>
      [...instances.values()].map(({ name, config }) => [name, config]),
    ),
  )

const isRequest = (key: string): boolean => key.startsWith('request:')

/** Requests that were let in are remembered, and that is all that one may leave behind. */
const lasting = (kv: State['kv']): State['kv'] =>
  Object.fromEntries(Object.entries(kv).filter(([key]) => !isRequest(key)))

function changesIn(before: State['kv'], after: State['kv'], spends?: RegExp): string[] {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  return keys
    .filter((key) => before[key] !== after[key] && !(after[key] === undefined && spends?.test(key)))
    .map((key) => `KV was changed: ${key} from ${before[key]} to ${after[key]}`)
}

/** As a platform sends it: its messages come, and everything that was begun comes to its end. */
export async function perform(sent: Sent, scene: Scene): Promise<void> {
  const before = await stateOf(scene)
  const answer = await deliver(sent, scene)
  if (answer.status !== 200) throw new Error(`an honest request was answered with ${answer.text}`)
  await settle(answer, { awaited: /./, calm: 30 }, before, scene)
}

async function deliver({ path, method = 'POST', headers, body, waits }: Sent, scene: Scene): Promise<Answer> {
  let resolve = (): void => {}
  scene.hold(new Promise((done) => (resolve = done)))
  const init = { method, headers, token: null, ...(body === undefined ? {} : { body }) }
  const response = await scene.stage.worker.fetch(path, init)
  const text = await response.text()
  const answer = { status: response.status, text, body: parsed(text) }
  if (response.status === 200) receive(answer, waits, scene)
  resolve()
  return answer
}

/** What the platform makes of the answer. */
function receive(
  { status, body }: Answer,
  waits: Sent['waits'],
  { slack, discord, mattermost }: Scene,
): void {
  if (waits === undefined) return
  if (waits.platform === 'discord') discord.reply(waits.token, { status, body })
  else if (waits.platform === 'slack') waits.kind === 'command' && slack.answer(status, body)
  else if (waits.kind === 'command') mattermost.answer(status, body)
  else
    mattermost.answerPress(
      mattermost.messages.findLast(({ buttons }) => buttons.length > 0) ?? NOWHERE,
      status,
      body,
    )
}

const NOWHERE: Scene['mattermost']['messages'][number] = { to: 'channel', text: '', buttons: [], edits: 0 }

const parsed = (text: string): unknown => {
  try {
    return text === '' ? null : JSON.parse(text)
  } catch {
    return text
  }
}

/**
 * Whoever was only told to wait gets a message; and after that, everything that was begun comes to its end.
 * `awaited`: what the message says; `calm`: for so many looks nothing must have happened.
 */
async function settle(
  answer: Answer,
  { awaited, calm }: { awaited?: RegExp | undefined; calm: number },
  before: State,
  scene: Scene,
): Promise<void> {
  const isTold = (): boolean =>
    newIn(before.messages, messagesOf(scene)).some(({ text }) => awaited?.test(text) && !isWaiting(text))
  if (awaited !== undefined && isPromise(answer.body))
    for (let wait = 0; !isTold() && wait < 200; wait++) await sleep(5)
  for (let [seen, same] = [activityOf(scene), 0]; same < calm; same++) {
    await sleep(3)
    const now = activityOf(scene)
    if (now !== seen) same = -1
    seen = now
  }
}

const activityOf = ({ stage, sent }: Scene): number => stage.worker.called().length + sent.length

/** An answer that only says that one will come. */
function isPromise(body: unknown): boolean {
  if (typeof body !== 'object' || body === null) return body === null
  const { type, text, response_type } = body as { type?: number; text?: string; response_type?: string }
  if (type !== undefined) return type === 5 || type === 6
  return text === undefined
    ? response_type === 'in_channel' || Object.keys(body).length === 0
    : isWaiting(text)
}

const isWaiting = (text: string): boolean => ['Looking…', 'Working on it…'].includes(text)

type Sides = Pick<Scene, 'slack' | 'discord' | 'mattermost'>

const messagesOf = ({ slack, discord, mattermost }: Sides): Message[][] => [
  slack.messages.map(({ to, text }) => ({ to, text })),
  discord.shown().map(({ to, content, details }) => ({ to, text: [content, details].join('\n') })),
  mattermost.messages.map(({ to, text }) => ({ to, text })),
]

const violationsOf = ({ slack, discord, mattermost }: Sides): string[][] =>
  [slack, discord, mattermost].map(({ violations }) => [...violations])

/** Also what stands in another's place now. */
const newIn = <One>(before: One[][], after: One[][]): One[] =>
  after.flatMap((list, side) =>
    list.filter((one, index) => JSON.stringify(one) !== JSON.stringify(before[side]?.[index])),
  )

function mismatchesOf(
  outcome: Outcome,
  answer: Answer,
  messages: readonly Message[],
  work: number,
): string[] {
  const { status, text, body } = answer
  if ('turned' in outcome)
    return [
      ...(status === outcome.turned ? [] : [`answered with ${status} instead of ${outcome.turned}: ${text}`]),
      ...(work === 0 ? [] : ['it was turned away, and still something was asked or sent']),
      ...(messages.length === 0 ? [] : ['it was turned away, and still something was said']),
    ]
  if (status !== 200) return [`answered with ${status} ${text}`]
  if ('gets' in outcome)
    return JSON.stringify(body) === JSON.stringify(outcome.gets) ? [] : [`the answer is ${text}`]
  const said = messages.filter((message) => !isWaiting(message.text))
  return [
    ...(said.some((message) => outcome.says.test(message.text)) ? [] : [`it says ${JSON.stringify(said)}`]),
    ...said
      .filter(({ to }) => outcome.to !== 'anybody' && to !== (outcome.to ?? 'caller'))
      .map(({ to, text: told }) => `said to the ${to}: ${told}`),
  ]
}

function leaksIn(text: string, { body, path }: Sent, scene: Scene): string[] {
  const asked = `${path}\n${typeof body === 'string' ? decoded(body) : ''}`
  const secrets = [scene.signingSecret, scene.token, scene.relayKey, scene.stage.worker.token]
  return [
    ...HIDDEN.filter((name) => text.includes(name) && !asked.includes(name)),
    ...secrets.filter((secret) => text.includes(secret)),
  ].map((word) => `it tells of ${word}: ${text}`)
}

const decoded = (text: string): string =>
  text.replaceAll(/%[0-9a-f]{2}/gi, (code) => String.fromCharCode(Number.parseInt(code.slice(1), 16)))
