/** What the scenes of chat have in common: policies that do nothing by themselves, instances, and how it ends. */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import type { AuditRecord } from '../../shared/access/audit.ts'
import type { PlatformName } from '../../shared/chat/actor.ts'
import { takeSnapshot } from '../contract/calls.ts'
import { createSide } from '../contract/side.ts'
import { access, type PersonName } from './chat-people.ts'
import type { Shown } from './chat-side.ts'
import type { ChatStage } from './chat-stage.ts'
import type { CopyView } from './timeline.ts'

/** So far away that whatever happens here was asked for. */
const NEVER = { schedule: '0 0 1 1 *', keep: { last: 3 } }
const of = (...instances: string[]) => ({ select: { remotes: ['main'], instances } })

const DOCUMENT = {
  policies: {
    plain: { ...of('web*', 'olaf*'), ...NEVER },
    guarded: { ...of('db*'), ...NEVER, approval: 'second' },
    copied: { ...of('app*'), ...NEVER, copy: { remote: 'backup' } },
  },
  access,
}

/** Every policy is known from now on, so that what is taken is known to be whole. */
export async function furnish(stage: ChatStage): Promise<void> {
  await stage.apply(DOCUMENT)
  await stage.worker.tick(new Date())
}

export const OLD = 'as it was'
export const NEW = 'as it is now'

type InstanceView = {
  instance: string
  status: string
  snapshots: { name: string }[]
  copies: CopyView[]
}

/** As it is seen in Incus. */
export async function look({ worker }: ChatStage, name: string): Promise<InstanceView> {
  const response = await worker.fetch('/api/instances')
  const { instances } = (await response.json()) as { instances: InstanceView[] }
  const found = instances.find(({ instance }) => instance === `main/default/${name}`)
  return found ?? expect.fail(`no policy covers ${name}`)
}

export const snapshotsOf = async (stage: ChatStage, name: string): Promise<string[]> =>
  (await look(stage, name)).snapshots.map((snapshot) => snapshot.name)

/** A snapshot of now, and its name. */
export async function take(stage: ChatStage, name: string): Promise<string> {
  const { text } = await stage.ask('slack', `now ${name}`, 'anna')
  return /\w+-\d{8}T\d{4}Z/.exec(text)?.[0] ?? expect.fail(`no snapshot was told: ${text}`)
}

/** A snapshot that a person takes in Incus itself: the newest of the instance from then on. */
export async function takeByHand({ pair }: ChatStage, name: string): Promise<void> {
  const side = createSide(pair.main)
  await takeSnapshot(side, { name }, 'by-hand')
  await side.close()
}

/** An instance that has changed since its only snapshot, whose name is given. */
export async function prepare(
  stage: ChatStage,
  name: string,
  { running = false, bytes = 1000 } = {},
): Promise<string> {
  const { main } = stage.pair
  await main.createInstance({ name, running })
  if (running) await main.setRunning({ name }, false)
  await main.write({ name }, OLD, bytes)
  const snapshot = await take(stage, name)
  await main.write({ name }, NEW, bytes)
  if (running) await main.setRunning({ name }, true)
  return snapshot
}

/** Asks for a restore, and gives the plan that waits for a word. */
export async function propose(
  stage: ChatStage,
  platform: PlatformName,
  name: string,
  snapshot: string,
): Promise<Shown> {
  const plan = await stage.ask(platform, `restore ${name} ${snapshot}`, 'anna')
  expect(
    plan.buttons.map(({ label }) => label),
    plan.text,
  ).toEqual(['Confirm', 'Cancel'])
  return plan
}

/** Says yes, and waits for what comes of that at once. */
export async function confirm(
  stage: ChatStage,
  platform: PlatformName,
  name: string,
  who: PersonName,
): Promise<Shown> {
  await stage.press(platform, 'Confirm', who)
  const answered = new RegExp(`restore ${name} .* (began to restore|is refused|has changed)`)
  return stage.until('what came of it', () =>
    stage.read(platform).findLast(({ text }) => answered.test(text)),
  )
}

/** Ticks until it is told to the channel. `pause`: real milliseconds that pass for a minute. */
export async function settle(
  stage: ChatStage,
  platform: PlatformName,
  told: RegExp,
  pause = 100,
): Promise<Shown> {
  for (let minute = 0; minute < 30; minute++) {
    const found = stage.read(platform).findLast(({ to, text }) => to === 'channel' && told.test(text))
    if (found !== undefined) return found
    await stage.tick()
    await sleep(pause)
  }
  const shown = JSON.stringify(stage.read(platform).slice(-3), null, 1)
  throw new Error(`${told} was never told: ${shown}\n${stage.worker.logged().join('\n')}`)
}

/** Put back to what OLD was, NEW is kept, and it runs exactly if it did before. */
export async function expectRestored(
  stage: ChatStage,
  name: string,
  { running = false } = {},
): Promise<void> {
  const { main } = stage.pair
  const { status, snapshots } = await look(stage, name)
  const safeties = snapshots.map((one) => one.name).filter((one) => one.startsWith('before-restore-'))
  const kept = await Promise.all(safeties.map((safety) => main.readMarker({ name }, safety)))
  expect({ status, data: await main.readMarker({ name }), kept }).toEqual({
    status: running ? 'Running' : 'Stopped',
    data: OLD,
    kept: [NEW],
  })
}

export async function expectUntouched(stage: ChatStage, name: string, snapshots: number): Promise<void> {
  expect(await stage.pair.main.readMarker({ name })).toBe(NEW)
  expect(await snapshotsOf(stage, name)).toHaveLength(snapshots)
}

/** Newest first. */
export async function history({ worker }: ChatStage): Promise<AuditRecord[]> {
  const response = await worker.fetch('/api/history?count=50')
  return ((await response.json()) as { records: AuditRecord[] }).records
}

export async function recordOf(stage: ChatStage, what: string): Promise<AuditRecord> {
  const found = (await history(stage)).filter((record) => record.what === what)
  expect(found.length).toBe(1)
  return found[0] ?? expect.fail()
}

/** Over the API, with the digest of its plan. */
export async function expireNow({ worker }: ChatStage, instance: string, snapshot: string): Promise<void> {
  const wish = { do: 'expire', instances: [instance], snapshots: [snapshot], grace: '0' }
  const post = (path: string, body: object) =>
    worker.fetch(path, { method: 'POST', body: JSON.stringify(body) })
  const { digest } = (await (await post('/api/plan', wish)).json()) as { digest: string }
  expect((await post('/api/run', { ...wish, confirm: digest })).status).toBe(200)
}
