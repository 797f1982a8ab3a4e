/**
 * Who has stolen the signing key asks the relay for new instances, and for their removal. Afterwards Incus is looked at:
 * nothing that was there is gone or changed, and nothing is where somebody else could read it.
 */
import { beforeEach, describe, expect, test } from 'vitest'
import { stepSchema } from '../../relay/step-schema.ts'
import type { CloneStep, Step } from '../../shared/relay/steps.ts'
import { hasData, instanceOf, readMarker, seedInstance, seedProject } from '../emulator/scene.ts'
import type { Instance } from '../emulator/state.ts'
import { DAY, HOUR, type Simulation, simulate, usual } from './scenes.ts'
import type { Remote } from './world.ts'

const START = new Date('2026-11-20T00:00:00Z')
const UNTIL = new Date('2026-11-20T06:30:00Z')
const DAILY = 'daily-20261120T0300Z'
const MAKING = 'user.stapes.restoring-as'

let scene: Simulation
beforeEach(async () => {
  scene = await simulate({ ...usual(START, UNTIL), minRetention: 7 * 86_400 })
  await scene.pass(UNTIL)
  for (const incus of [scene.world.incus.main, scene.world.incus.backup]) seedProject(incus, 'other')
})

const ref = (remote: Remote, instance = 'web', project = 'default') => ({ remote, project, instance })
const on = (remote: Remote, name = 'web') => instanceOf(scene.world.incus[remote], { name })
const all = (remote: Remote): string[] =>
  [...scene.world.incus[remote].state.projects.values()].flatMap(({ name, instances }) =>
    [...instances.values()].map((one) => `${name}/${one.name} ${stateOf(one)}`),
  )
const stateOf = ({ status, config, devices, snapshots, disk }: Instance): string =>
  JSON.stringify([status, config, devices, [...snapshots.keys()], disk])

let jobs = 0
/** Each step as a job of its own; what the relay's HTTP server would refuse isn't sent. */
async function attack(steps: readonly Step[]): Promise<string> {
  const sent = steps.filter((step) => stepSchema.safeParse(step).success)
  const relay = scene.world.places[0]?.relay
  const batch = sent.map((step) => ({ id: `attack ${++jobs}`, steps: [step] }))
  const answered = await scene.world.clock.settle(
    relay?.batch(batch) ?? Promise.reject(new Error('no relay')),
  )
  await scene.world.clock.advance(new Date(scene.world.clock.now() + HOUR))
  return JSON.stringify([...answered.answers.values()])
}

const cloneOf = (more: Partial<CloneStep> = {}): CloneStep => ({
  ...{ do: 'clone', from: ref('main'), snapshot: DAILY, to: ref('main', 'mine') },
  ...{ whole: false, start: false, pool: null, transferMode: 'pull' },
  ...more,
})

describe('a stolen signing key', () => {
  test('replaces no instance by a new one, under whatever name', async () => {
    const before = [all('main'), all('backup')]
    for (const whole of [true, false])
      await attack(
        (['main', 'backup'] as const).flatMap((at) =>
          ['web', 'mail', 'stranger', 'lab'].flatMap((name) => [
            cloneOf({ to: ref(at, name), whole }),
            cloneOf({ from: ref('backup'), to: ref(at, name), whole }),
          ]),
        ),
      )
    expect([all('main'), all('backup')]).toEqual(before)
  })

  test('has a snapshot made an instance neither in another project nor on the backup server', async () => {
    const before = [all('main'), all('backup')]
    await attack([
      cloneOf({ to: ref('main', 'mine', 'other') }),
      cloneOf({ to: ref('backup', 'mine') }),
      cloneOf({ from: ref('backup'), to: ref('backup', 'mine') }),
      cloneOf({ from: ref('backup'), to: ref('backup', 'mine', 'other'), whole: true }),
      cloneOf({ from: ref('backup'), to: ref('main', 'mine', 'other'), whole: true }),
      cloneOf({ from: ref('backup', 'stranger'), snapshot: 'daily-20260101T0300Z' }),
    ])
    expect([all('main'), all('backup')]).toEqual(before)
  })

  test('removes, finishes or starts nothing by a mark that the relay did not set, or has set on another', async () => {
    // The relay's own, on what it made half.
    scene.world.incus.main.copyMs = HOUR
    void attack([cloneOf()])
    await scene.world.clock.advance(new Date(scene.world.clock.now() + 1000))
    const sealed = on('main', 'mine').config[MAKING] ?? ''
    expect(sealed).toContain(' ~')
    await scene.world.clock.advance(new Date(scene.world.clock.now() + 3 * HOUR))
    for (const name of ['web', 'mail']) on('main', name).config[MAKING] = sealed
    // Nobody has used them yet.
    seedInstance(scene.world.incus.main, { name: 'fresh', config: { [MAKING]: sealed } })
    seedInstance(scene.world.incus.main, {
      name: 'forged',
      config: { [MAKING]: `${DAILY} all started making ~forged` },
    })
    on('backup').config[MAKING] = sealed
    on('main', 'lab').config[MAKING] = `${DAILY} alone stopped making ~forged`
    on('backup', 'stranger').config[MAKING] = `${DAILY} all started made`
    const before = [all('main'), all('backup')]
    for (const at of ['main', 'backup'] as const)
      for (const name of ['web', 'mail', 'lab', 'stranger', 'mine', 'fresh', 'forged'])
        await attack([
          { do: 'remove-clone', ref: ref(at, name) },
          { do: 'finish-clone', ref: ref(at, name), start: true },
          cloneOf({ to: ref(at, name) }),
        ])
    expect([all('main'), all('backup')]).toEqual(before)
  })

  test('removes nothing that somebody uses, though its mark was left', async () => {
    scene.world.incus.main.copyMs = HOUR
    void attack([cloneOf()])
    await scene.world.clock.advance(new Date(scene.world.clock.now() + 1000))
    const mine = on('main', 'mine')
    const sealed = mine.config[MAKING] ?? ''
    await scene.world.clock.advance(new Date(scene.world.clock.now() + 3 * HOUR))
    for (const use of ['started once', 'runs', 'has a snapshot'] as const) {
      mine.config[MAKING] = sealed
      mine.status = use === 'runs' ? 'Running' : 'Stopped'
      mine.lastUsedAt = use === 'started once' ? '2026-11-20T07:00:00Z' : '1970-01-01T00:00:00Z'
      const [first] = on('main').snapshots.values()
      if (use === 'has a snapshot' && first !== undefined) mine.snapshots.set('its-own', first)
      await attack([{ do: 'remove-clone', ref: ref('main', 'mine') }, cloneOf()])
      expect(on('main', 'mine'), use).toBe(mine)
    }
  })

  test('makes nothing that reaches its host, and from a copy nothing that was not verified', async () => {
    for (const { settings } of on('backup').snapshots.values()) {
      settings.config = {
        'raw.lxc': 'lxc.hook.pre-start=/evil',
        'security.privileged': 'true',
        'user.stapes.replica-of': 'main/default/db',
      }
      settings.devices = {
        host: { type: 'disk', source: '/', path: '/host' },
        gpu: { type: 'gpu' },
        listener: { type: 'proxy', listen: 'tcp:0.0.0.0:22', connect: 'tcp:127.0.0.1:22' },
      }
    }
    const [first] = on('backup').snapshots.values()
    if (first !== undefined) on('backup').snapshots.set('unproven', { ...first, name: 'unproven' })
    await attack([cloneOf({ from: ref('backup') })])
    await attack([cloneOf({ from: ref('backup'), snapshot: 'unproven', to: ref('main', 'other') })])
    const { config, devices } = on('main', 'mine')
    expect(
      Object.keys(config).filter((key) => /^(raw|security|user\.stapes)\./.test(key) && config[key] !== ''),
    ).toEqual([])
    expect(Object.values(devices).filter(({ type }) => type !== 'none')).toEqual([])
    expect(scene.world.incus.main.state.projects.get('default')?.instances.has('other')).toBe(false)
  })

  test('loses no verified snapshot by what it has made, and while it is made', async () => {
    scene.world.incus.backup.copyMs = HOUR
    const before = [...on('backup').snapshots.keys()]
    void attack([cloneOf({ from: ref('backup') })])
    await scene.world.clock.advance(new Date(scene.world.clock.now() + 1000))
    await attack(before.map((snapshot): Step => ({ do: 'expire', ref: ref('backup'), snapshot })))
    await scene.world.clock.advance(new Date(scene.world.clock.now() + DAY))
    expect([...on('backup').snapshots.keys()]).toEqual(before)
    for (const name of before.slice(-1))
      expect(hasData(scene.world.incus.backup, { name: 'web' }, name)).toBe(true)
    expect(readMarker(scene.world.incus.main, { name: 'web' })).not.toBeNull()
  })
})

test('a copy follows nothing else while its source is there, wherever it may be brought back to', async () => {
  scene = await simulate({ ...usual(START, UNTIL), receives: ['backup'] })
  await scene.pass(UNTIL)
  seedProject(scene.world.incus.main, 'other')
  const before = [all('main'), all('backup')]
  await attack([cloneOf({ from: ref('backup'), to: ref('main', 'web', 'other'), whole: true })])
  expect([all('main'), all('backup')]).toEqual(before)
})

test('a tenant’s own mark makes nothing go, and it is told', async () => {
  on('main', 'mail').config[MAKING] = `${DAILY} alone stopped making ~forged`
  const before = stateOf(on('main', 'mail'))
  const ran = await scene.world.tick(new Date('2026-11-20T07:00:00Z'))
  expect(JSON.stringify(ran)).toContain('was not set by this relay')
  expect(
    stateOf({
      ...on('main', 'mail'),
      snapshots: new Map(JSON.parse(before)[3].map((name: string) => [name, {}])),
    }),
  ).toBe(before)
})
