/** A migration that goes through the relay, from when both of its operations are there until both have ended. */
import type { Clock } from '../../shared/clock.ts'
import type { CallError } from '../../shared/relay/protocol.ts'
import { err, ok, type Result } from '../../shared/result.ts'
import type { End } from './bridge.ts'
import { badReply } from './call.ts'
import { counting } from './counting.ts'
import { isObject } from './envelope.ts'
import { sleep } from './operation.ts'
import { badRequest } from './references.ts'
import type { Upstream } from './upstream.ts'

/** A call that began one of the two, with its reply. */
type Begun = { remote: string; operation: string | null; body: unknown }

export type Bridging = {
  /** What went wrong on the way, once both operations ended so; null: nothing that is known here. */
  end(...results: readonly Result<unknown, CallError>[]): Promise<CallError | null>
}

const SECOND = 1000
/** Milliseconds that connections have to end by themselves, once both operations have. */
const FAREWELL = 5 * SECOND

export function beginBridging(
  { source, target }: { source: Begun; target: Begun },
  { upstream, clock }: { upstream: Upstream; clock: Clock },
  { progress, cancelled }: { progress(text: string): void; cancelled?: Promise<void> },
): Bridging {
  const controller = new AbortController()
  void cancelled?.then(() => controller.abort())
  const passing = counting(clock, progress)
  const run = async (): Promise<Result<null, CallError>> => {
    const { bridge } = upstream
    if (bridge === undefined) return err(badRequest('this relay can’t stand between two servers'))
    const [from, to] = [source, target].map(({ remote, operation, body }) =>
      endOf(remote, operation ?? '', body),
    )
    if (from?.ok !== true || to?.ok !== true)
      return from?.ok === false ? from : to?.ok === false ? to : err(badRequest('no migration'))
    const options = { onData: passing.add, signal: controller.signal }
    return bridge({ source: from.value, target: to.value }, options)
  }
  const running = run()
  return {
    async end(...results) {
      // What still runs there, or may, goes on.
      if (results.every(isOver)) {
        await Promise.race([running, sleep(clock, FAREWELL)])
        controller.abort()
      } else if (!controller.signal.aborted) return null
      const ran = await running
      passing.say()
      return ran.ok ? null : ran.error
    },
  }
}

const isOver = (one: Result<unknown, CallError>): boolean =>
  one.ok || one.error.code === 'incus' || one.error.code === 'vanished'

/** `body`: of the reply that announced the operation. */
export function endOf(remote: string, operation: string, body: unknown): Result<End, CallError> {
  const announced = isObject(body) && isObject(body.metadata) ? body.metadata.metadata : null
  const secrets = Object.entries(isObject(announced) ? announced : {}).filter(
    (one): one is [string, string] => typeof one[1] === 'string' && SECRET.test(one[1]),
  )
  return secrets.some(([name]) => name === 'control')
    ? ok({ remote, operation, secrets: Object.fromEntries(secrets) })
    : err(badReply(remote, 202, 'it has no secrets for a migration'))
}

const SECRET = /^[0-9A-Za-z]{1,200}$/
