/** The HTTP API of a running stapes, as the scripts use it. */

import { setTimeout as sleep } from 'node:timers/promises'
import { sizeOf } from '../shared/chat/age.ts'
import type { Message } from '../shared/chat/message.ts'
import type { Performed } from '../shared/chat/result-message.ts'
import type { Diagnosis } from '../shared/doctor/diagnosis.ts'
import type { Tested } from '../shared/notify/tested.ts'
import type { Line } from '../shared/plan/line.ts'
import { err, ok, type Result } from '../shared/result.ts'
import { type Complaint, type DocumentFile, inDocument } from './document.ts'

/** One line for each problem, with what to do. */
export type Refusal = string[]

export type Applied = { version: string; policies: string[]; warnings: string[] }

export type Planned = {
  lines: Line[]
  /** For people. */
  text: string
  /** Whether the plan is by the applied configuration. */
  applied: boolean
  digest: string
  /** `second`: a policy requires a second person to confirm it. */
  approval: 'self' | 'second'
  warnings: string[]
}

export type Simulated = {
  /** What goes when, of the snapshots that exist, and how many there are later: for people. */
  text: string
  /** From what the applied configuration would do; null: it is that one, or there is none. */
  difference: { text: string; lines: Line[] } | null
  applied: boolean
}

/** `document`: as it was applied. */
export type Config = { version: string; document: unknown }

/** `warnings`: the gravest first, and first backups that are still to come last, one for each pending promise. */
export type Health = {
  health: 'good' | 'warning' | 'bad'
  warnings: string[]
  promises: { state: string }[]
}

/** Of a request. `started`: keys of long work by kind, such as `copies`; `at`: when (ISO 8601). */
export type Ran = Performed & { started: Record<string, string[]>; at: string }

/** `from`: the remote whose snapshot it is. */
export type AskedFile = { instance: string; snapshot: string; path: string; from?: string }

/** A command's answer. */
export type Said = {
  line: string
  tone: Message['tone']
  text: string
  message: Pick<Message, 'headline' | 'details'>
}

/** Long work by kind, such as `copies`, and by the key of what it works on. `at`: its last change of state (ISO 8601). */
export type Progress = Record<
  string,
  Record<string, { state: string; at: string; reason?: string; retryAt?: string }>
>

export type Session = {
  apply(file: DocumentFile, dryRun: boolean): Promise<Result<Applied, Refusal>>
  /** What a tick would do now, by that document; null: by the applied one. */
  plan(file: DocumentFile | null): Promise<Result<Planned, Refusal>>
  /** What that document would keep and remove within a year; null: the applied one. */
  simulate(file: DocumentFile | null): Promise<Result<Simulated, Refusal>>
  /** What is applied; null: nothing, or it can't be read. */
  config(): Promise<Result<Config | null, Refusal>>
  tick(): Promise<Result<{ state: string }, Refusal>>
  /** What a request would do now. */
  planOf(request: object): Promise<Result<Planned, Refusal>>
  /** Does it. */
  run(request: object): Promise<Result<Ran, Refusal>>
  /** What a command answers that reads, or pauses a policy. */
  command(line: string): Promise<Result<Said, Refusal>>
  progress(): Promise<Result<Progress, Refusal>>
  /** How far what runs is, in words, by `kind key`; what says nothing is absent. */
  howFar(): Promise<Result<Record<string, string>, Refusal>>
  /** The bytes of a file of a snapshot; `waits` is told while an instance is made of it. */
  file(asked: AskedFile, waits: (why: string) => void): Promise<Result<ReadableStream<Uint8Array>, Refusal>>
  /** How things are. */
  status(): Promise<Result<Health, Refusal>>
  /** What is wrong on every server and between them. */
  doctor(): Promise<Result<Diagnosis & { at: string }, Refusal>>
  testNotify(): Promise<Result<{ channels: Tested[] }, Refusal>>
}

type Far = {
  kind: string
  key: string
  state: string
  progress?: string
  bytes?: number
  bytesPerSecond?: number
  percent?: number
}

function farText({ state, progress = '', bytes, bytesPerSecond, percent }: Far): string {
  if (state === 'queued') return 'it waits for its turn'
  if (bytes === undefined || bytesPerSecond === undefined) return progress
  const share = percent === undefined ? '' : ` (${percent} %)`
  return `${sizeOf(bytes)}${share} at ${sizeOf(bytesPerSecond)}/s`
}

/** `fetcher`: how the Worker is reached. */
export function createSession(url: string, token: string, fetcher: typeof fetch = fetch): Session {
  const send = async (
    method: string,
    path: string,
    body?: unknown,
  ): Promise<Result<Response, Complaint[]>> => {
    const headers = { authorization: `Bearer ${token}` }
    const text = body === undefined ? {} : { body: JSON.stringify(body) }
    try {
      return ok(await fetcher(new URL(path, url), { method, headers, ...text }))
    } catch (error) {
      return err(
        about(`${url} can't be reached (${causeOf(error)}): is it running, and is STAPES_URL right?`),
      )
    }
  }
  const ask = async <T>(method: string, path: string, body?: unknown): Promise<Result<T, Complaint[]>> => {
    const response = await send(method, path, body)
    if (!response.ok) return response
    return response.value.ok ? answerOf<T>(response.value, url) : err(await refusalOf(response.value, url))
  }
  const said = (complaints: Complaint[], file?: DocumentFile): Refusal =>
    complaints.map((one) => (file === undefined ? one.message : inDocument(file, one)))
  return {
    async apply(file, dryRun) {
      const path = `/api/config${dryRun ? '?dryRun=true' : ''}`
      const applied = await ask<Applied>('PUT', path, file.document)
      return applied.ok ? applied : err(said(applied.error, file))
    },
    async plan(file) {
      const body = file === null ? {} : { document: file.document }
      const planned = await ask<Planned>('POST', '/api/plan', body)
      return planned.ok ? planned : err(said(planned.error, file ?? undefined))
    },
    async simulate(file) {
      const document = file === null ? {} : { document: file.document }
      let simulated = await ask<Simulated>('POST', '/api/simulate', { ...document, ...MOST })
      // A Worker's processor time may not suffice for a year.
      for (const less of LESS)
        if (!simulated.ok) simulated = await ask<Simulated>('POST', '/api/simulate', { ...document, ...less })
      return simulated.ok ? simulated : err(said(simulated.error))
    },
    async config() {
      const applied = await ask<Config>('GET', '/api/config')
      if (applied.ok) return applied
      return applied.error.some(({ status }) => status === NOTHING_APPLIED || status === UNREADABLE)
        ? ok(null)
        : err(said(applied.error))
    },
    async tick() {
      const ticked = await ask<{ state: string }>('POST', '/api/tick')
      return ticked.ok ? ticked : err(said(ticked.error))
    },
    async planOf(request) {
      const planned = await ask<Planned>('POST', '/api/plan', request)
      return planned.ok ? planned : err(said(planned.error))
    },
    async run(request) {
      const ran = await ask<Ran>('POST', '/api/run', request)
      return ran.ok ? ran : err(said(ran.error))
    },
    async command(line) {
      const said = await ask<Said>('POST', '/api/command', { line })
      return said.ok ? said : err(messagesOf(said.error))
    },
    async progress() {
      const found = await ask<Progress>('GET', '/api/status')
      return found.ok ? found : err(messagesOf(found.error))
    },
    async howFar() {
      const found = await ask<{ work: Far[] }>('GET', '/api/progress')
      if (!found.ok) return err(messagesOf(found.error))
      return ok(Object.fromEntries(found.value.work.map((one) => [`${one.kind} ${one.key}`, farText(one)])))
    },
    async file(asked, waits) {
      const path = `/api/files/content?${new URLSearchParams(asked)}`
      for (;;) {
        const answer = await send('GET', path)
        if (!answer.ok) return err(messagesOf(answer.error))
        const { status, body, headers } = answer.value
        if (answer.value.ok && body !== null) return ok(body)
        const refusal = messagesOf(await refusalOf(answer.value, url))
        const seconds = Number(headers.get('retry-after'))
        if (status !== UNREADY || !(seconds > 0)) return err(refusal)
        waits(refusal.join('; '))
        await sleep(seconds * 1000)
      }
    },
    async status() {
      const found = await ask<Health>('GET', '/api/status')
      return found.ok ? found : err(said(found.error))
    },
    async doctor() {
      const found = await ask<Diagnosis & { at: string }>('GET', '/api/doctor')
      return found.ok ? found : err(said(found.error))
    },
    async testNotify() {
      const tested = await ask<{ channels: Tested[] }>('POST', '/api/notify/test')
      return tested.ok ? tested : err(said(tested.error))
    },
  }
}

/** A quarter of a minute: enough for a year of three instances with hourly and daily snapshots. */
const MOST = { effort: 600_000 }
/** Some seconds; and what comes with the next slots. */
const LESS = [{ effort: 40_000 }, { days: 2, effort: 1000 }]

const NOTHING_APPLIED = 409
const UNREADABLE = 500
const UNREADY = 503

const messagesOf = (complaints: readonly Complaint[]): Refusal => complaints.map(({ message }) => message)

const about = (message: string): Complaint[] => [{ path: '', message }]

const stranger = (url: string): Complaint[] =>
  about(`${url} answers, but not as stapes does: is STAPES_URL (or PORT) right?`)

async function answerOf<T>(response: Response, url: string): Promise<Result<T, Complaint[]>> {
  try {
    return ok((await response.json()) as T)
  } catch {
    return err(stranger(url))
  }
}

async function refusalOf(response: Response, url: string): Promise<Complaint[]> {
  const type = response.headers.get('content-type') ?? ''
  if (!type.startsWith('application/problem+json')) return stranger(url)
  const { title, detail, errors } = (await response.json()) as {
    title: string
    detail: string
    errors?: Complaint[]
  }
  if (response.status === 401)
    return about(`${url} rejects this STAPES_TOKEN: it has to be the one that stapes was started with`)
  return errors ?? about(`${title}: ${detail}`).map((one) => ({ ...one, status: response.status }))
}

/** fetch hides the reason one level down. */
export function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { cause } = error
  if (!(cause instanceof Error)) return error.message
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : ''
  return cause.message === '' ? code : cause.message
}
