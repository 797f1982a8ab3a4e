/**
 * Who has stolen the signing key asks the relay for imports, or who may write into a store puts an archive there. Afterwards Incus
 * is looked at: nothing that was there is gone or changed, and nothing reaches its host.
 */
import { createHash } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import { stepSchema } from '../../relay/step-schema.ts'
import type { ImportStep, Step } from '../../shared/relay/steps.ts'
import { archiveOf } from '../emulator/archive.ts'
import { instanceOf, seedProject } from '../emulator/scene.ts'
import type { Instance } from '../emulator/state.ts'
import { HOUR, MINUTE, type Simulation, simulate, usual } from './scenes.ts'
import type { Remote } from './world.ts'

const START = new Date('2026-11-20T00:00:00Z')
const UNTIL = new Date('2026-11-20T06:30:00Z')
const EXPORT = '20261120T062010Z'
const MAKING = 'user.stapes.restoring-as'

let scene: Simulation
beforeEach(async () => {
  scene = await simulate(usual(START, UNTIL))
  await scene.pass(UNTIL)
  for (const incus of [scene.world.incus.main, scene.world.incus.backup]) seedProject(incus, 'other')
  store({})
})

const ref = (remote: Remote | 'gone', instance = 'web', project = 'default') => ({
  remote,
  project,
  instance,
})
const on = (remote: Remote, name: string) => instanceOf(scene.world.incus[remote], { name })
const all = (remote: Remote): string[] =>
  [...scene.world.incus[remote].state.projects.values()].flatMap(({ name, instances }) =>
    [...instances.values()].map((one) => `${name}/${one.name} ${stateOf(one)}`),
  )
const stateOf = ({ status, config, devices, snapshots, disk }: Instance): string =>
  JSON.stringify([status, config, devices, [...snapshots.keys()], disk])

/** An export of web, as whoever may write into the store would have it. */
function store({ of = 'main/default/web', config = {}, devices = {}, leftOut = {} }): void {
  const disk = { held: 'whole', marker: 'stored', bytes: 1000, content: 1 } as const
  const archive = archiveOf({ name: 'x', type: 'container', config, devices, disk }, 'btrfs')
  const sha256 = createHash('sha256').update(archive).digest('hex')
  scene.world.stores.made.set(`nas ${of} ${EXPORT}`, {
    archive,
    manifest: {
      ...{ stapes: 'export 1', instance: of, name: EXPORT, madeAt: START.toISOString(), incus: '6.0.4' },
      ...{ type: 'container', driver: 'btrfs', optimized: false },
      snapshot: { name: 's1', createdAt: START.toISOString() },
      archive: { bytes: archive.length, sha256, entries: 4 },
      stored: {
        ...{ file: 'x', bytes: archive.length, sha256, compression: 'zstd' },
        ...{ encryption: null, recipients: [] },
      },
      leftOut: { config: {}, devices: {}, ...leftOut },
    },
  })
}

let jobs = 0
/** Each step as a job of its own; what the relay's HTTP server would refuse isn't sent. */
async function attack(steps: readonly Step[]): Promise<string> {
  const sent = steps.filter((step) => stepSchema.safeParse(step).success)
  const relay = scene.world.places[0]?.relay
  const batch = sent.map((step) => ({ id: `attack ${++jobs}`, steps: [step] }))
  const answering = relay?.batch(batch) ?? Promise.reject(new Error('no relay'))
  const answered = await scene.world.clock.settle(answering)
  await scene.world.clock.advance(new Date(scene.world.clock.now() + HOUR))
  return JSON.stringify([...answered.answers.values()])
}

const importOf = (more: Partial<ImportStep> = {}): ImportStep => ({
  ...{ do: 'import', of: ref('main'), store: 'nas', name: EXPORT, to: ref('main', 'mine') },
  ...{ start: false, pool: null, key: null },
  ...more,
})

describe('a stolen signing key', () => {
  test('replaces no instance by an import, under whatever name', async () => {
    const before = [all('main'), all('backup')]
    for (const at of ['main', 'backup'] as const)
      for (const name of ['web', 'mail', 'db', 'lab', 'stranger'])
        if (before[at === 'main' ? 0 : 1]?.some((one) => one.startsWith(`default/${name} `)))
          await attack([importOf({ to: ref(at, name) })])
    expect([all('main'), all('backup')]).toEqual(before)
  })

  test('has no export become an instance anywhere but where it was, nor what no store of the relay has', async () => {
    const before = [all('main'), all('backup')]
    store({ of: 'gone/default/web' })
    store({ of: 'main/other/web' })
    await attack([
      importOf({ to: ref('main', 'mine', 'other') }),
      importOf({ to: ref('backup', 'mine') }),
      importOf({ of: ref('gone') }),
      importOf({ of: ref('main', 'web', 'other') }),
      importOf({ store: 'elsewhere' }),
      importOf({ of: ref('main', 'mail') }),
    ])
    expect([all('main'), all('backup')]).toEqual(before)
  })

  test('sends the relay to no file by a name', async () => {
    const before = all('main')
    const odd = ['../../etc/passwd', '..', `${EXPORT}/../x`, '']
    await attack(odd.map((name) => importOf({ name })))
    await attack(odd.map((name) => importOf({ store: name })))
    await attack(odd.map((name) => importOf({ of: ref('main', name) })))
    expect(all('main')).toEqual(before)
  })

  test('gives it nothing by which it reaches its host', async () => {
    const before = all('main')
    await attack([
      importOf({ given: { config: { 'raw.lxc': 'lxc.hook.pre-start=/evil' } } }),
      importOf({ given: { config: { 'security.privileged': 'true' } } }),
      importOf({ given: { config: { [MAKING]: 'x' } } }),
      importOf({ given: { config: { 'boot.autostart': 'true' } } }),
      importOf({ given: { devices: { d: { type: 'disk', source: '/', path: '/mnt' } } } }),
      importOf({ given: { devices: { d: { type: 'nic', nictype: 'physical', parent: 'eth0' } } } }),
      importOf({ given: { devices: { root: { type: 'none' } } } }),
    ])
    expect(all('main')).toEqual(before)
  })

  test('removes nothing that somebody uses, though its mark was left', async () => {
    scene.world.incus.main.copyMs = 10 * MINUTE
    void attack([importOf()])
    await scene.world.clock.advance(new Date(scene.world.clock.now() + 11 * MINUTE + 1))
    const sealed = on('main', 'mine').config[MAKING] ?? ''
    await scene.world.clock.advance(new Date(scene.world.clock.now() + 2 * HOUR))
    const mine = on('main', 'mine')
    for (const use of ['started once', 'runs'] as const) {
      mine.config[MAKING] = sealed
      mine.status = use === 'runs' ? 'Running' : 'Stopped'
      mine.lastUsedAt = use === 'started once' ? '2026-11-20T07:00:00Z' : '1970-01-01T00:00:00Z'
      await attack([{ do: 'remove-clone', ref: ref('main', 'mine') }, importOf()])
      expect(on('main', 'mine'), use).toBe(mine)
    }
  })
})

test('an archive that somebody put into a store makes nothing that reaches its host, and nothing with our marks', async () => {
  const evil = {
    'raw.lxc': 'lxc.hook.pre-start=/evil',
    'security.privileged': 'true',
    'boot.autostart': 'true',
    'user.stapes.replica-of': 'main/default/db',
    'user.stapes.verified': 's1@1',
    'user.stapes.exporting': 'sealed',
    'user.stapes.exclude': 'true',
    'volatile.eth0.hwaddr': '00:16:3e:00:00:01',
    [MAKING]: 's1 all started made ~forged',
  }
  const host = {
    host: { type: 'disk', source: '/', path: '/host' },
    gpu: { type: 'gpu' },
    listener: { type: 'proxy', listen: 'tcp:0.0.0.0:22', connect: 'tcp:127.0.0.1:22' },
  }
  store({ config: evil, devices: host, leftOut: { config: evil, devices: host } })
  scene.world.incus.main.copyMs = MINUTE
  void attack([importOf()])
  // From its first moment on, and not only at its end.
  const bad = /^(raw|security|volatile\.eth0|user\.stapes\.(?!restoring-as|exclude))/
  for (let at = 0; at < 300; at += 1) {
    await scene.world.clock.advance(new Date(scene.world.clock.now() + 1000))
    const mine = scene.world.incus.main.state.projects.get('default')?.instances.get('mine')
    if (mine === undefined) continue
    expect(Object.keys(mine.config).filter((key) => bad.test(key))).toEqual([])
    expect(Object.values(mine.devices).filter(({ type }) => type !== 'none')).toEqual([])
    expect(mine.status).toBe('Stopped')
  }
  expect(on('main', 'mine').config[MAKING]).toBeUndefined()
})
