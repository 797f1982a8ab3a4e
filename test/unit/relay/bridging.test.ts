/** Relay mode as the engine runs it: which operations it begins, what it joins, and what it tells of it. */
import { expect, test } from 'vitest'
import type { Bridge } from '../../../relay/engine/bridge.ts'
import { runCalls, type Watcher } from '../../../relay/engine/call-list.ts'
import { transferCalls } from '../../../relay/engine/steps/copy-transfer.ts'
import { parseSource } from '../../../shared/incus/source.ts'
import type { CallError } from '../../../shared/relay/protocol.ts'
import { err, ok } from '../../../shared/result.ts'
import { callIo } from './call-io.ts'
import { createFakeIncus } from './fake-incus.ts'
import { copyStep, INSTANCE } from './steps.ts'
import { createVirtualClock } from './virtual-clock.ts'

const SECRETS = {
  main: { control: 'a1', fs: 'a2' },
  backup: { control: 'b1', fs: 'b2' },
}
const BROKEN: CallError = { code: 'unreachable', message: 'no control connection for the migration' }

type Ends = { after?: number; error?: string; secrets?: object }

async function relayed({
  source = {},
  target = {},
  bridge,
  limit = 60,
  watcher = {},
}: {
  source?: Ends
  target?: Ends
  bridge: Bridge
  limit?: number
  watcher?: Partial<Watcher>
}) {
  const clock = createVirtualClock()
  const incus = createFakeIncus(clock)
  const joined: Parameters<Bridge>[] = []
  incus.answer = (remote) => {
    const [ends, secrets] = remote === 'main' ? [source, SECRETS.main] : [target, SECRETS.backup]
    return incus.operation({ after: 10_000, secrets, ...ends })
  }
  incus.bridge = (...given) => {
    joined.push(given)
    return bridge(...given)
  }
  const told: string[] = []
  const sending = copyStep('web', { transferMode: 'relay' })
  const details = parseSource(INSTANCE, [])
  if (!details.ok) throw new Error(details.error)
  const calls = transferCalls(sending, details.value, limit)
  const all = { waits: () => {}, progress: (text: string) => void told.push(text), ...watcher }
  const result = await clock.until(runCalls(calls, callIo(incus, clock), { watcher: all }))
  return { incus, joined, result, told, clock }
}

const whole: Bridge = async () => ok(null)

test('the source offers, the target waits, and the relay joins what the two have announced', async () => {
  const { incus, joined, result } = await relayed({ bridge: whole })
  expect(result.ok).toBe(true)
  expect(incus.calls).toMatchObject([
    { remote: 'main', call: 'POST /1.0/instances/web?project=default', body: { migration: true } },
    { remote: 'backup', body: { source: { type: 'migration', mode: 'push' } } },
  ])
  expect(JSON.stringify(incus.calls)).not.toMatch(/certificate|secrets|https:/)
  expect(joined.map(([ends]) => ends)).toEqual([
    {
      source: { remote: 'main', operation: 'op1', secrets: SECRETS.main },
      target: { remote: 'backup', operation: 'op2', secrets: SECRETS.backup },
    },
  ])
})

test('what broke on the way is told, where both servers only say that it did', async () => {
  const cut = { error: 'websocket: close 1006' }
  const { result } = await relayed({ source: cut, target: cut, bridge: async () => err(BROKEN) })
  expect(result).toEqual(err(BROKEN))
})

test('but Incus decides: what it calls a success is one', async () => {
  const { result } = await relayed({ bridge: async () => err(BROKEN) })
  expect(result.ok).toBe(true)
})

test.each([
  ['source', { source: { error: 'disk is gone' } }],
  ['target', { target: { error: 'No space left on device' } }],
])('it fails if the %s alone does', async (_, ends) => {
  const { result } = await relayed({ ...ends, bridge: whole })
  expect(result).toMatchObject({ ok: false, error: { code: 'incus' } })
})

test('connections that stay open are ended once both operations are over', async () => {
  const ended: boolean[] = []
  const bridge: Bridge = (_, { signal }) =>
    new Promise((resolve) => {
      signal.addEventListener('abort', () => {
        ended.push(true)
        resolve(ok(null))
      })
    })
  const { result } = await relayed({ bridge })
  expect([result.ok, ended]).toEqual([true, [true]])
})

test('but not while one may still run: the next tick looks at it again', async () => {
  let isEnded = false
  const bridge: Bridge = (_, { signal }) =>
    new Promise(() => {
      signal.addEventListener('abort', () => {
        isEnded = true
      })
    })
  const { result, clock } = await relayed({ target: { after: 3_600_000 }, bridge, limit: 60 })
  expect(result).toMatchObject({ ok: false, error: { code: 'running' } })
  await clock.advance(600_000)
  expect(isEnded).toBe(false)
})

test('bytes and rate are told as the relay counts them, each second and at the end', async () => {
  const { told } = await relayed({
    bridge: async (_, { onData }) => {
      onData(3_000_000)
      return ok(null)
    },
  })
  expect(told.at(-1)).toMatch(/^3\.00MB \(\d+\.\d\dMB\/s\)$/)
})

test('a cancelled one is cut', async () => {
  let cancel = (): void => {}
  const cancelled = new Promise<void>((resolve) => {
    cancel = resolve
  })
  const bridge: Bridge = (_, { signal }) =>
    new Promise((resolve) => {
      signal.addEventListener('abort', () => resolve(err({ code: 'cancelled', message: 'it was cancelled' })))
      cancel()
    })
  const cut = { error: 'websocket: close 1006' }
  const { result } = await relayed({ source: cut, target: cut, bridge, watcher: { cancelled } })
  expect(result).toMatchObject({ ok: false, error: { code: 'cancelled' } })
})

test.each([{}, { fs: 'b2' }, { control: 'b1 b2', fs: 'b2' }, { control: 7 }])(
  'a target that announces %j is not joined',
  async (secrets) => {
    const target = { error: 'context deadline exceeded', secrets }
    const { joined, result } = await relayed({ target, bridge: whole })
    expect(joined).toEqual([])
    expect(result).toMatchObject({ ok: false, error: { code: 'bad-reply' } })
  },
)
