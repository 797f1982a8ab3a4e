/** The HTTP API of a running stapes, as the scripts use it. */
import { err, ok, type Result } from '../shared/result.ts'

/** One line for each thing that is wrong, what to do in it. */
export type Refusal = string[]

export type Applied = { version: string; policies: string[]; warnings: string[] }

export type Session = {
  /** `text` is a stapes.jsonc as it is written. */
  apply(text: string, dryRun: boolean): Promise<Result<Applied, Refusal>>
  /** What a tick would do now, for people. */
  plan(): Promise<Result<string, Refusal>>
  tick(): Promise<Result<{ state: string }, Refusal>>
}

export function createSession(url: string, token: string): Session {
  const ask = async <T>(method: string, path: string, body?: string): Promise<Result<T, Refusal>> => {
    const headers = { authorization: `Bearer ${token}` }
    try {
      const target = new URL(path, url)
      const response = await fetch(target, { method, headers, ...(body === undefined ? {} : { body }) })
      return response.ok ? ok((await response.json()) as T) : err(await refusalOf(response))
    } catch (error) {
      return err([`${url} can't be reached (${causeOf(error)}): is it running, and is STAPES_URL right?`])
    }
  }
  return {
    apply: (text, dryRun) => ask('PUT', `/api/config${dryRun ? '?dryRun=true' : ''}`, text),
    async plan() {
      const planned = await ask<{ text: string }>('POST', '/api/plan')
      return planned.ok ? ok(planned.value.text) : planned
    },
    tick: () => ask('POST', '/api/tick'),
  }
}

async function refusalOf(response: Response): Promise<Refusal> {
  const text = await response.text()
  const type = response.headers.get('content-type') ?? ''
  if (!type.startsWith('application/problem+json')) return [`${response.status}: ${text.slice(0, 300)}`]
  const { title, detail, errors } = JSON.parse(text) as {
    title: string
    detail: string
    errors?: { path: string; message: string }[]
  }
  if (errors === undefined) return [`${title}: ${detail}`]
  return errors.map(({ path, message }) => (message.startsWith(path) ? message : `${path}: ${message}`))
}

/** fetch hides the reason one level down. */
export function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? error.cause.message : error.message
}
