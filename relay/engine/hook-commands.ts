/** Runs the commands of hooks in an instance: with a time-out, and what they write goes to the relay's log and stays nowhere else. */
import { request } from '../../shared/incus/routes.ts'
import { type InstanceRef, subjectKey } from '../../shared/incus/subject.ts'
import type { CallError } from '../../shared/relay/protocol.ts'
import { err, ok, type Result } from '../../shared/result.ts'
import { incusCommand } from '../../shared/shell.ts'
import { type CallIo, runCalls, silent } from './call-list.ts'
import { isObject } from './envelope.ts'
import type { Fetch } from './exports.ts'
import type { Hook } from './hooks.ts'
import { look } from './operation.ts'
import { refused } from './rules.ts'
import { where } from './steps/requests.ts'

export type HookIo = CallIo & { fetch: Fetch }

/** A hook on an instance that the relay has marked for it; `since` in milliseconds, as the mark has it. */
export type Hooked = { ref: InstanceRef; name: string; since: number }

const pauseOf = ({ ref, since }: Hooked): string => `${subjectKey(ref)} ${since}`

/** What follows it are words of the server. */
export const NOT_RUN = 'could not be run'

/** Of each of the two outputs, in the log. */
const LONGEST = 4096

/** An error: it may be running yet, or it ended with another status than 0. */
export async function runHook(
  { ref, name, since }: Hooked,
  which: 'before' | 'after',
  hook: Hook,
  io: HookIo,
): Promise<Result<null, CallError>> {
  const key = subjectKey(ref)
  const what = `the command ${which} of its hook "${name}"`
  // Until its operation is known, it is known that there may be one.
  if (!io.journal.noteExec(key, since, '') && which === 'before')
    return err({
      code: 'not-allowed',
      message: `the relay can’t write its journal, so it does not run ${what}`,
    })
  const { parameters, query } = where(ref)
  const body = {
    ...{ command: which === 'before' ? hook.before : hook.after, 'record-output': true },
    ...{ interactive: false, 'wait-for-websocket': false },
  }
  const exec = { remote: ref.remote, wait: hook.timeout, ...request('execInstance', parameters, query, body) }
  let operation: string | null = null
  const begun = (watched: { operation: string }): void => {
    operation = watched.operation
    io.journal.noteExec(key, since, operation)
  }
  const ran = await runCalls([exec], io, { urgent: true, watcher: { ...silent, begun } })
  if (!ran.ok) {
    const { error } = ran
    const isOver = error.code === 'incus' || error.code === 'not-allowed' || error.code === 'vanished'
    if (isOver) await forget(ref, operation ?? '', io)
    const why =
      error.code === 'running' ? `did not end within ${hook.timeout} s` : `${NOT_RUN}: ${error.message}`
    return err({ ...error, message: `${what} ${why}` })
  }
  const status = statusIn(ran.value[0]?.body)
  io.hooks.keep(`${key}: ${what} ended with status ${status}${await outputOf(ref, operation, io)}`)
  await forget(ref, operation ?? '', io)
  return status === 0
    ? ok(null)
    : err({
        code: 'incus',
        message: `${what} ended with status ${status}; what it has written is in the relay’s log`,
      })
}

/** Of the ended operation, in the reply's envelope; null: it says none. */
function statusIn(body: unknown): number | null {
  const operation = isObject(body) && isObject(body.metadata) ? body.metadata : {}
  const told = isObject(operation.metadata) ? operation.metadata.return : null
  return typeof told === 'number' ? told : null
}

const fileOf = (operation: string, stream: string): string => `exec_${operation}.${stream}`

const STREAMS = ['stdout', 'stderr']

async function outputOf(ref: InstanceRef, operation: string | null, io: HookIo): Promise<string> {
  const parts: string[] = []
  for (const stream of operation === null ? [] : STREAMS) {
    const { parameters, query } = where(ref)
    const file = fileOf(operation ?? '', stream)
    const sent = await io.fetch(ref.remote, request('getExecOutput', { ...parameters, file }, query), 0)
    const text = sent.ok ? await beginningOf(sent.value.bytes) : ''
    if (text !== '') parts.push(`; ${stream}: ${text}`)
  }
  return parts.join('')
}

/** The rest isn't read. */
async function beginningOf(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  let length = 0
  try {
    for await (const chunk of bytes) {
      chunks.push(chunk)
      length += chunk.length
      if (length > LONGEST) break
    }
  } catch {
    // What came of it is kept.
  }
  const text = Buffer.concat(chunks).subarray(0, LONGEST).toString().trimEnd()
  return length > LONGEST ? `${text}…` : text
}

/** It runs no more: its files go, as far as they can be removed now. */
async function forget(ref: InstanceRef, operation: string, io: HookIo): Promise<void> {
  const { parameters, query } = where(ref)
  for (const stream of operation === '' ? [] : STREAMS) {
    const file = fileOf(operation, stream)
    const remove = request('deleteExecOutput', { ...parameters, file }, query)
    await runCalls([{ remote: ref.remote, tolerate: [404], ...remove }], io, { urgent: true })
  }
  io.journal.dropExec(subjectKey(ref), operation)
}

/** After so many tries a command that fails each time is told and left. */
const MOST_TRIES = 10

/**
 * Runs the command after: until it has ended well, or failed often. While the one before may still be running it is run at once, and
 * once more when that has ended; an error until then.
 */
export async function endHook(hooked: Hooked, io: HookIo): Promise<Result<null, CallError>> {
  const { ref, name } = hooked
  const hook = io.hooks.of(name, ref)
  if (hook === null) {
    const { project, instance } = ref
    return err(
      refused(
        `run the command after of the hook "${name}" in ${subjectKey(ref)}`,
        `its configuration has no such hook for it any more; run it by hand, then: ${incusCommand(project, 'config', 'unset', instance, 'user.stapes.pausing')}`,
      ),
    )
  }
  const pause = pauseOf(hooked)
  const before = io.journal.execs(subjectKey(ref), hooked.since)
  const lives = await livesOne(hooked, before, hook, io)
  if (!lives.ok) return lives
  if (lives.value && io.hooks.ranBeside(pause)) return err(stillRuns(name))
  const ran = await runHook(hooked, 'after', hook, io)
  if (!ran.ok && (ran.error.code !== 'incus' || io.hooks.failed(pause) < MOST_TRIES)) return ran
  if (lives.value) {
    io.hooks.noteBeside(pause)
    return err(stillRuns(name))
  }
  if (!ran.ok) io.hooks.keep(`${subjectKey(ref)}: given up after ${MOST_TRIES} tries: ${ran.error.message}`)
  for (const operation of before) await forget(ref, operation, io)
  io.hooks.over(pause)
  return ok(null)
}

const stillRuns = (name: string): CallError => ({
  code: 'running',
  message: `a command of the hook "${name}" still runs: the one after is run again when that has ended`,
})

/** One whose operation was never heard of may run as long as it may. */
async function livesOne(
  { ref, since }: Hooked,
  operations: readonly string[],
  { timeout }: Hook,
  io: HookIo,
): Promise<Result<boolean, CallError>> {
  for (const operation of operations) {
    if (operation === '' && io.clock.now() < since + 2 * timeout * 1000) return ok(true)
    if (operation === '') continue
    const seen = await look(io, { remote: ref.remote, operation })
    if (seen.state === 'silent') return err(seen.error)
    if (seen.state === 'living') return ok(true)
  }
  return ok(false)
}
