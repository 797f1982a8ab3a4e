/** Relay mode: the relay dials both servers, which can't reach each other, and joins their websockets. */
import type { Dispatcher } from 'undici'
import { own } from '../../shared/own.ts'
import type { CallError } from '../../shared/relay/protocol.ts'
import { err, ok, type Result } from '../../shared/result.ts'
import type { Bridge, End } from '../engine/bridge.ts'
import { CANCELLED } from '../engine/cancels.ts'
import { callError } from '../errors.ts'
import { createCollector } from '../export/collect.ts'
import { type Joined, join } from './join.ts'
import { openWebsocket } from './open.ts'

/** Under which URL a remote answers; the first that takes the websocket. */
export type Member = { pool: Dispatcher; at: string | null }

type Io = {
  members(remote: string): readonly Member[]
  /** Ends all that is open. */
  closing: AbortSignal
}

/** Bytes that go by between two looks for buffers that are no longer needed. */
const FREED = 4 * 1024 * 1024

export function createBridge({ members, closing }: Io): Bridge {
  return async ({ source, target }, { onData, signal: wanted }) => {
    const signal = AbortSignal.any([wanted, closing])
    const names = namesOf(source, target)
    if (!names.ok) return names
    const joined: Joined[] = []
    const cut = (): void => {
      for (const one of joined) one.cut()
    }
    signal.addEventListener('abort', cut)
    const passed = createCollector(FREED)
    const count = (bytes: number): void => {
      passed(bytes)
      onData(bytes)
    }
    try {
      for (const name of names.value) {
        const pair = await Promise.all(
          [source, target].map((end) => open(end, name, members(end.remote), signal)),
        )
        const [first, second] = pair
        const failed = pair.find((one) => !one.ok)
        if (failed?.ok === false || first?.ok !== true || second?.ok !== true) {
          for (const one of pair) if (one.ok) one.value.destroy()
          cut()
          return failed?.ok === false && !signal.aborted ? failed : err(CANCELLED)
        }
        joined.push(join(first.value, second.value, count))
        if (signal.aborted) cut()
      }
      const wrong = (await Promise.all(joined.map(({ ended }) => ended))).find((one) => one !== null)
      if (signal.aborted) return err(CANCELLED)
      return wrong === undefined ? ok(null) : err(notPassed(source, target, wrong))
    } finally {
      signal.removeEventListener('abort', cut)
    }
  }
}

/** The control connection comes first. */
function namesOf(source: End, target: End): Result<string[], CallError> {
  const names = Object.keys(source.secrets)
  const missing =
    names.find((name) => !Object.hasOwn(target.secrets, name)) ??
    Object.keys(target.secrets).find((name) => !Object.hasOwn(source.secrets, name))
  if (missing !== undefined)
    return err({
      code: 'bad-reply',
      message: `"${source.remote}" and "${target.remote}" want different connections for the migration: one of them has none for ${missing}`,
    })
  return ok(['control', ...names.filter((name) => name !== 'control')])
}

async function open(
  { remote, operation, secrets }: End,
  name: string,
  members: readonly Member[],
  signal: AbortSignal,
): Promise<Result<Awaited<ReturnType<typeof openWebsocket>>, CallError>> {
  let error: CallError = { code: 'unreachable', message: `"${remote}" has no url` }
  for (const { pool, at } of members) {
    try {
      return ok(await openWebsocket(pool, { operation, secret: own(secrets, name) ?? '' }, signal))
    } catch (cause) {
      const reason = cause instanceof Error ? cause : new Error('no websocket')
      const { code, message } = callError(remote, at, reason, false)
      error = { code, message: `no ${name} connection for the migration: ${message}` }
    }
  }
  return err(error)
}

const notPassed = (source: End, target: End, why: Error): CallError => ({
  code: 'bad-reply',
  message: `the relay ended the migration from "${source.remote}" to "${target.remote}": ${why.message}`,
})
