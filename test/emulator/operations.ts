/** Operations live in memory: 5 s after their end, or with the daemon, they are gone without a trace. */
import { formatDate } from './dates.ts'
import { accepted, type Envelope, failure, Refusal, type Reply, success } from './envelope.ts'
import type { Face } from './faces.ts'

const LIFETIME_MS = 5_000

const STATES = {
  103: 'Running',
  104: 'Cancelling',
  105: 'Pending',
  200: 'Success',
  400: 'Failure',
  401: 'Cancelled',
}
type StateCode = keyof typeof STATES

export type Operation = {
  id: string
  class: 'task' | 'websocket' | 'token'
  description: string
  /** Null for what the daemon does by itself. */
  project: string | null
  created: number
  updated: number
  state: StateCode
  resources: Record<string, string[]>
  metadata: (() => Record<string, unknown> | null) | null
  /** Present when a client may cancel it. */
  cancel?: () => void
  error: Refusal | null
  location: string
  onEnd: Set<() => void>
}

type OperationSpec = Pick<Operation, 'description' | 'project' | 'resources'> &
  Partial<Pick<Operation, 'class' | 'metadata' | 'cancel' | 'location'>>

type Work = { hold?: (go: () => void) => void; begin?: () => void; ms?: number; end: () => void }

const atOnce = (go: () => void): void => go()

/** What it needs of its server; `after` forgets its timers when the daemon is killed. */
type OperationHost = {
  now(): number
  after(ms: number, run: () => void): () => void
  uuid(): string
  /** Asked once per operation: the text it is to fail with, instead of doing its work. */
  sabotage(operation: Operation): string | null
  face(): Face
}

const ended = (operation: Operation): boolean => operation.state >= 200

export class Operations {
  readonly #host: OperationHost
  readonly #all = new Map<string, Operation>()
  readonly #waiting = new Set<(cause: Error) => void>()

  constructor(host: OperationHost) {
    this.#host = host
  }

  start(spec: OperationSpec): Operation {
    const now = this.#host.now()
    const operation: Operation = {
      id: this.#host.uuid(),
      class: 'task',
      metadata: null,
      location: 'none',
      ...spec,
      created: now,
      updated: now,
      state: 103,
      error: null,
      onEnd: new Set(),
    }
    this.#all.set(operation.id, operation)
    return operation
  }

  /**
   * An operation that begins at once and ends after a time. What either half refuses fails the
   * operation, never the request: that is how Incus does it. `hold` decides when it may begin.
   */
  task(spec: OperationSpec, { hold = atOnce, begin, ms = 0, end }: Work): Reply {
    const operation = this.start(spec)
    const sabotage = this.#host.sabotage(operation)
    hold(() => {
      const refusal = sabotage === null ? caught(begin) : new Refusal(500, sabotage)
      this.#host.after(refusal === null ? ms : 0, () => this.end(operation, refusal ?? caught(end)))
    })
    return this.reply(operation)
  }

  /** Ends an operation, once; null is success. */
  end(operation: Operation, error: Refusal | null, state: StateCode = error === null ? 200 : 400): void {
    if (ended(operation)) return
    operation.state = state
    operation.error = error
    operation.updated = this.#host.now()
    this.#host.after(LIFETIME_MS, () => this.#all.delete(operation.id))
    for (const wake of operation.onEnd) wake()
    operation.onEnd.clear()
  }

  get(id: string): Operation {
    const operation = this.#all.get(id)
    if (operation === undefined) throw new Refusal(404, 'Operation not found')
    return operation
  }

  all(): Iterable<Operation> {
    return this.#all.values()
  }

  /** The daemon died: who waits loses the connection. */
  forget(cause: Error): void {
    this.#all.clear()
    for (const lose of this.#waiting) lose(cause)
    this.#waiting.clear()
  }

  cancel(id: string): void {
    const operation = this.get(id)
    if (ended(operation)) throw new Refusal(400, 'Only running operations can be cancelled')
    if (operation.cancel === undefined) throw new Refusal(400, "This operation can't be cancelled")
    operation.cancel()
  }

  reply(operation: Operation): Reply {
    return accepted(operation.id, view(operation))
  }

  /** On 6.0.4 failure and time-out look alike, later both give the operation. Seconds; negative is for ever. */
  wait(id: string, seconds: number): Promise<Envelope> {
    const operation = this.get(id)
    const tells = this.#host.face().waitTells
    const outcome = (): Envelope => (tells ? success(view(operation)) : outcomeOf(operation))
    const timedOut = (): Envelope => (tells ? success(view(operation)) : TIMED_OUT)
    if (ended(operation)) return Promise.resolve(outcome())
    if (seconds === 0) return Promise.resolve(timedOut())
    return new Promise((resolve, reject) => {
      const answer = (body: Envelope): void => {
        off?.()
        operation.onEnd.delete(wake)
        this.#waiting.delete(reject)
        resolve(body)
      }
      const wake = (): void => answer(outcome())
      const off = seconds < 0 ? null : this.#host.after(seconds * 1000, () => answer(timedOut()))
      operation.onEnd.add(wake)
      this.#waiting.add(reject)
    })
  }
}

const TIMED_OUT = failure(500, 'context deadline exceeded')

const outcomeOf = (operation: Operation): Envelope =>
  operation.error === null ? success(view(operation)) : failure(operation.error.code, operation.error.message)

/** Runs something that may refuse. */
function caught(work: (() => void) | undefined): Refusal | null {
  try {
    work?.()
    return null
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
}

/** The operation as the API shows it. */
export function view(operation: Operation): Record<string, unknown> {
  return {
    id: operation.id,
    class: operation.class,
    description: operation.description,
    created_at: formatDate(operation.created),
    updated_at: formatDate(operation.updated),
    status: STATES[operation.state],
    status_code: operation.state,
    resources: operation.resources,
    metadata: operation.metadata?.() ?? null,
    may_cancel: operation.cancel !== undefined,
    err: operation.error?.message ?? '',
    location: operation.location,
  }
}

/** Grouped by state in lower case; in the asked project, with what belongs to none. */
export function listOperations(
  operations: Iterable<Operation>,
  visible: (project: string | null) => boolean,
  recursion: boolean,
): Record<string, unknown[]> {
  const groups: Record<string, unknown[]> = {}
  for (const operation of operations) {
    if (!visible(operation.project)) continue
    const group = STATES[operation.state].toLowerCase()
    groups[group] ??= []
    groups[group].push(recursion ? view(operation) : `/1.0/operations/${operation.id}`)
  }
  return groups
}
