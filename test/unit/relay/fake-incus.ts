/** Just enough of an Incus for the engine: replies by hand, and operations as 6.0.4 keeps them. */

import type { Reply, Upstream } from '../../../relay/engine/upstream.ts'
import type { Clock } from '../../../shared/clock.ts'
import type { IncusRequest } from '../../../shared/incus/routes.ts'
import type { CallError } from '../../../shared/relay/protocol.ts'

export type Answer =
  | { status: number; body: unknown; address?: string; date?: number; etag?: string }
  | { error: CallError }

export type FakeIncus = Upstream & {
  /** `METHOD path` of everything that came in, waits and looks at operations left out. */
  calls: { remote: string; call: string; body: unknown; ifMatch?: string }[]
  /** Answers what isn't about operations; undefined: an operation that succeeds after a second. */
  answer: (remote: string, request: IncusRequest) => Answer | undefined
  /** Makes an operation that ends so; the reply that announces it. */
  operation(ends: { after: number; error?: string; progress?: string; secrets?: object }): Answer
  /** Nobody listens any more, and then again, without memory of its operations. */
  kill(): void
  start(): void
  /** Ids of the operations that were cancelled. */
  cancelled: string[]
}

type Operation = { id: string; endsAt: number; error: string; metadata: object | null }

const KEPT = 5_000

export const sync = (metadata: unknown): Answer => ({
  status: 200,
  body: {
    type: 'sync',
    status: 'Success',
    status_code: 200,
    operation: '',
    error_code: 0,
    error: '',
    metadata,
  },
})

export const refusal = (status: number, error: string): Answer => ({
  status,
  body: {
    type: 'error',
    status: '',
    status_code: 0,
    operation: '',
    error_code: status,
    error,
    metadata: null,
  },
})

export function createFakeIncus(clock: Clock): FakeIncus {
  const operations = new Map<string, Operation>()
  let up = true
  let last = 0

  const find = (id: string): Operation | undefined => {
    const operation = operations.get(id)
    return operation !== undefined && clock.now() < operation.endsAt + KEPT ? operation : undefined
  }
  const render = ({ id, endsAt, error, metadata }: Operation): object => {
    const code = clock.now() < endsAt ? 103 : error === '' ? 200 : 400
    return { id, class: 'task', status_code: code, metadata, err: code === 400 ? error : '' }
  }
  const wait = async (id: string, seconds: number): Promise<Answer> => {
    const operation = find(id)
    if (operation === undefined) return refusal(404, 'Operation not found')
    const left = operation.endsAt - clock.now()
    await pause(Math.min(Math.max(0, left), seconds * 1000))
    if (!up) return { error: { code: 'timeout', message: 'killed' } }
    const failed = clock.now() < operation.endsAt ? 'context deadline exceeded' : operation.error
    if (failed === '') return sync(render(operation))
    return { status: 200, body: { type: 'error', error_code: 500, error: failed, metadata: null } }
  }
  const pause = (ms: number) => new Promise<void>((resolve) => void clock.after(ms, resolve))

  const fake: FakeIncus = {
    calls: [],
    cancelled: [],
    answer: () => undefined,
    operation({ after, error = '', progress, secrets }) {
      const id = `op${++last}`
      const metadata = progress === undefined ? (secrets ?? null) : { fs_progress: progress }
      const operation = { id, endsAt: clock.now() + after, error, metadata }
      operations.set(id, operation)
      const body = {
        type: 'async',
        status_code: 100,
        operation: `/1.0/operations/${id}`,
        metadata: render(operation),
      }
      return { status: 202, body }
    },
    kill() {
      up = false
      operations.clear()
    },
    start() {
      up = true
    },
    async request(remote, request): Promise<Reply> {
      if (!up) return { ok: false, error: { code: 'unreachable', message: 'nobody listens' } }
      return toReply(await serve(remote, request))
    },
  }
  const serve = (remote: string, request: IncusRequest): Answer | Promise<Answer> => {
    const [, id = '', rest] = /^\/1\.0\/operations\/([^/?]+)(.*)$/.exec(request.path) ?? []
    if (rest === undefined) {
      const { method, path, body, ifMatch } = request
      fake.calls.push({
        remote,
        call: `${method} ${path}`,
        body,
        ...(ifMatch === undefined ? {} : { ifMatch }),
      })
      return fake.answer(remote, request) ?? fake.operation({ after: 1000 })
    }
    if (request.method === 'DELETE') {
      fake.cancelled.push(id)
      return sync({})
    }
    if (rest.startsWith('/wait')) return wait(id, Number(rest.split('timeout=')[1]))
    const operation = find(id)
    return operation === undefined ? refusal(404, 'Operation not found') : sync(render(operation))
  }
  return fake
}

const toReply = (answer: Answer): Reply =>
  'error' in answer ? { ok: false, error: answer.error } : { ok: true, ...answer }
