/** What the relay may run in instances, and what it keeps of that. */
import { expect, test } from 'vitest'
import { parseConfig } from '../../../relay/config.ts'
import { runCalls } from '../../../relay/engine/call-list.ts'
import { runHook } from '../../../relay/engine/hook-commands.ts'
import { createHooks } from '../../../relay/engine/hooks.ts'
import { pauseMark } from '../../../relay/engine/pause-mark.ts'
import { request } from '../../../shared/incus/routes.ts'
import { ok } from '../../../shared/result.ts'
import { createCertificate } from '../../lab/certificate.ts'
import { callIo } from './call-io.ts'
import { createFakeIncus, sync } from './fake-incus.ts'
import { createVirtualClock } from './virtual-clock.ts'

const REF = { remote: 'main', project: 'p', instance: 'db1' }
const SINCE = 1000
const DB = { instances: ['main/p/db*'], before: ['begin', '--now'], after: ['end'], timeout: 10 }

/** On a server where the instance has that mark; the command ends at once. */
function begin(mark: (seal: ReturnType<typeof callIo>['seal']) => string) {
  const clock = createVirtualClock()
  const incus = createFakeIncus(clock)
  const log: string[] = []
  const io = { ...callIo(incus, clock), hooks: createHooks({ db: DB }, (line) => log.push(line)) }
  incus.answer = (_, { method }) =>
    method === 'GET'
      ? sync({ status: 'Running', config: { 'user.stapes.pausing': mark(io.seal) } })
      : undefined
  return { clock, incus, io, log }
}

const exec = (command: string[]) => ({
  remote: 'main',
  ...request(
    'execInstance',
    { instance: 'db1' },
    { project: 'p' },
    {
      ...{ command, 'record-output': true, interactive: false, 'wait-for-websocket': false },
    },
  ),
})

test.each<[string, string[], string | undefined, boolean]>([
  ['its command before', ['begin', '--now'], 'db', true],
  ['its command after', ['end'], 'db', true],
  ['another one', ['rm', '-rf', '/'], 'db', false],
  ['one with a word more', ['end', 'x'], 'db', false],
  ['one word of two', ['begin --now'], 'db', false],
  ['one where the mark names another hook', ['end'], 'web', false],
  ['one where the mark names no hook', ['end'], undefined, false],
])('each request is looked at once more: %s', async (_, command, hook, isAllowed) => {
  const { clock, incus, io } = begin((seal) => pauseMark(REF, SINCE, seal, hook))
  const ran = await clock.until(runCalls([exec(command)], io))
  expect(incus.calls.some(({ call }) => call.includes('POST'))).toBe(isAllowed)
  if (!isAllowed) expect(ran).toMatchObject({ ok: false, error: { code: 'not-allowed' } })
})

test.each([
  ['that somebody else made', () => `${new Date(SINCE).toISOString()} db ~abcdefghijklmnopqrstuv`],
  [
    'of another instance',
    (seal: ReturnType<typeof callIo>['seal']) => pauseMark({ ...REF, instance: 'db2' }, SINCE, seal, 'db'),
  ],
])('a mark %s lets no command run', async (_, mark) => {
  const { clock, incus, io } = begin(mark)
  await clock.until(runCalls([exec(['end'])], io))
  expect(incus.calls.some(({ call }) => call.includes('POST'))).toBe(false)
})

test('a mark of a pause that is over lets none run', async () => {
  const { clock, incus, io } = begin((seal) => pauseMark(REF, SINCE, seal, 'db'))
  io.journal.noteResumed('main/p/db1', SINCE)
  await clock.until(runCalls([exec(['end'])], io))
  expect(incus.calls.some(({ call }) => call.includes('POST'))).toBe(false)
})

test.each(['exec_x.stdout', 'c1.log', 'exec_0b1c2d3e-0000-4000-8000-000000000000.stdout.gz'])(
  'the relay removes no file that no command has written: %s',
  async (file) => {
    const { clock, incus, io } = begin(() => '')
    const remove = request('deleteExecOutput', { instance: 'db1', file }, { project: 'p' })
    await clock.until(runCalls([{ remote: 'main', ...remove }], io))
    expect(incus.calls.some(({ call }) => call.includes('DELETE'))).toBe(false)
  },
)

test('of what a command writes a part is kept, and the rest isn’t read', async () => {
  const { clock, incus, io, log } = begin((seal) => pauseMark(REF, SINCE, seal, 'db'))
  const { answer } = incus
  incus.answer = (remote, asked) =>
    asked.method === 'POST' ? incus.operation({ after: 1000, secrets: { return: 0 } }) : answer(remote, asked)
  let read = 0
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) {
      read += 1
      yield Buffer.alloc(1000, 'x')
    }
  }
  const fetch = async () => ok({ from: 0, size: 1e12, bytes: endless() })
  const ran = await clock.until(
    runHook({ ref: REF, name: 'db', since: SINCE }, 'before', DB, { ...io, fetch }),
  )
  expect(ran).toEqual(ok(null))
  expect(read).toBeLessThan(20)
  expect(log.join().length).toBeLessThan(10_000)
  expect(log.join()).toContain('xxx…')
})

const client = await createCertificate('relay')
/** As relay.jsonc has it. */
const SAID = { ...DB, timeout: '10s' }

test.each<[string, object, string]>([
  [
    'a line instead of words',
    { ...SAID, before: 'begin --now' },
    'hooks.db.before: expected a command as a list',
  ],
  ['no words', { ...SAID, after: [] }, 'hooks.db.after: expected a command as a list'],
  [
    'an instance without its remote',
    { ...SAID, instances: ['db*'] },
    'hooks.db.instances.0: expected remote/project',
  ],
  ['a volume', { ...SAID, instances: ['main/p/pool:db'] }, 'hooks.db.instances.0: expected remote/project'],
  [
    'nothing afterwards',
    { instances: SAID.instances, before: SAID.before },
    'hooks.db.after: expected a command',
  ],
  ['ten minutes', { ...SAID, timeout: '10m' }, 'hooks.db.timeout: expected a span from 1s to 5m'],
])('a hook with %s is refused', (_, hook, message) => {
  const parsed = parseConfig(
    {
      keys: { worker: Buffer.alloc(32, 7).toString('base64') },
      client: { certificate: client.cert, key: client.key },
      remotes: { main: { url: 'https://192.0.2.1:8443', fingerprint: 'ab'.repeat(32) } },
      hooks: {
        db: hook,
      },
    },
    '/',
  )
  expect(parsed.ok ? '' : parsed.error).toContain(message)
})
