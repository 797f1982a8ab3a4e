/** `GET /api/files` and `GET /api/files/content`: what a snapshot has at a path, and its bytes. */
import type { Context } from 'hono'
import { recordText, writtenBy } from '../../shared/access/audit.ts'
import { files as command } from '../../shared/command/commands/files.ts'
import { renderLine } from '../../shared/command/line.ts'
import { describe } from '../../shared/incus/refusal.ts'
import { own } from '../../shared/own.ts'
import { LONGEST_RECORD, MOST_FILES } from '../../shared/relay/protocol.ts'
import { err, ok, type Result } from '../../shared/result.ts'
import type { App } from '../env.ts'
import { type FilesQuery, listFiles, type Place, placeOf, type Unlisted, unlistedBy } from '../files.ts'
import type { FileSent, RelayFiles } from '../incus/relay-files.ts'
import { look } from '../run.ts'
import { beginAudit, closeAudit } from '../state/audit.ts'
import { refused, UNCONFIGURED } from './answer-run.ts'
import { callerOf, requestId } from './caller.ts'
import { answerProblem, type Problem } from './problem.ts'

export async function answerFiles(context: Context<App>, at: Date): Promise<Response> {
  const page = pageOf(context.req.query())
  if (!page.ok) return answerProblem(context, page.error)
  const located = await locate(context, at)
  if (!located.ok) return answerProblem(context, located.error)
  const listed = await listFiles(located.value.place, page.value, located.value.files)
  if (!listed.ok) return answerUnlisted(context, listed.error)
  const { of, snapshot, from, path, itself, entries, total, next } = listed.value
  return context.json({ instance: of, snapshot, from, path, itself, entries, total, next })
}

/** Listed first: what isn't there, or isn't ready, is no reading, and stands in no record. */
export async function answerContent(context: Context<App>, at: Date): Promise<Response> {
  const located = await locate(context, at)
  if (!located.ok) return answerProblem(context, located.error)
  const { place, files } = located.value
  const listed = await listFiles(place, { limit: 1 }, files)
  if (!listed.ok) return answerUnlisted(context, listed.error)
  const { ref, of, snapshot, path } = place
  const record = {
    ...{ id: requestId(), at: at.toISOString(), ...writtenBy(callerOf(context)), instances: [of] },
    what: `${renderLine(command, { instance: of, snapshot, path, from: ref.remote })}, its contents`,
  }
  const audit = await beginAudit(record, context.env.STATE)
  const logged = audit.written ? {} : { record: recordText(record, LONGEST_RECORD) }
  const reply = await files.get({ ref, snapshot, path, ...logged })
  const sent = reply.ok && reply.value.state === 'sent' ? reply.value : null
  const why = sent !== null ? null : unsent(reply)
  const outcome = {
    state: why === null ? 'done' : 'failed',
    text: why?.reason ?? 'sent',
    at: at.toISOString(),
  } as const
  await closeAudit(audit, outcome, context.env.STATE)
  return sent === null ? answerUnlisted(context, why ?? NOTHING) : answerBytes(sent)
}

const NOTHING: Unlisted = { state: 'failed', reason: 'the relay sent nothing' }

type Reply = Awaited<ReturnType<RelayFiles['get']>>

function unsent(reply: Reply): Unlisted {
  if (!reply.ok) return { state: 'failed', reason: describe(reply.error, true) }
  const { value } = reply
  return value.state === 'sent' || value.state === 'listed' ? NOTHING : unlistedBy(value)
}

function answerBytes({ itself: { name, kind }, size, bytes }: FileSent): Response {
  const base = name === '/' ? 'rootfs' : name
  const file = encodeURIComponent(kind === 'folder' ? `${base}.tar` : base).replace(/['()*]/g, escaped)
  return new Response(bytes, {
    headers: {
      'content-type': kind === 'folder' ? 'application/x-tar' : 'application/octet-stream',
      ...(size === null ? {} : { 'content-length': String(size) }),
      'content-disposition': `attachment; filename*=UTF-8''${file}`,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    },
  })
}

const escaped = (char: string): string => `%${char.charCodeAt(0).toString(16).toUpperCase()}`

type Located = { place: Place; files: RelayFiles }

async function locate(context: Context<App>, at: Date): Promise<Result<Located, Problem>> {
  const { instance = '', snapshot = '', path = '/', from } = context.req.query()
  if (instance === '' || snapshot === '')
    return err({ status: 422, title: 'Not as expected', detail: 'it needs "instance" and "snapshot"' })
  const io = context.get('io')
  const seen = await look(io, at)
  if (seen === null || io.files === undefined) return err(UNCONFIGURED)
  const query: FilesQuery = { instance, snapshot, path, from }
  const place = placeOf(query, seen)
  if (place.ok) return ok({ place: place.value, files: io.files })
  return err(
    place.error.code === 'not-found'
      ? { status: 404, title: 'Not found', detail: place.error.reason }
      : refused(place.error),
  )
}

function pageOf({
  skip = '0',
  limit = '200',
}: Record<string, string>): Result<{ skip: number; limit: number }, Problem> {
  const page = { skip: Number(skip), limit: Number(limit) }
  const isSound =
    Number.isSafeInteger(page.skip) &&
    page.skip >= 0 &&
    Number.isInteger(page.limit) &&
    page.limit >= 1 &&
    page.limit <= MOST_FILES
  return isSound
    ? ok(page)
    : err({
        status: 422,
        title: 'Not as expected',
        detail: `skip: a number from 0; limit: a number, 1 to ${MOST_FILES}`,
      })
}

const SECONDS = '5'

function answerUnlisted(context: Context<App>, { state, reason }: Unlisted): Response {
  if (state === 'wait') context.header('retry-after', SECONDS)
  return answerProblem(context, { ...(own(PROBLEMS, state) ?? PROBLEMS.failed), detail: reason })
}

const PROBLEMS: Record<Unlisted['state'], Pick<Problem, 'status' | 'title'>> = {
  wait: { status: 503, title: 'Not ready yet' },
  absent: { status: 404, title: 'Not found' },
  refused: { status: 422, title: 'Refused' },
  failed: { status: 502, title: 'Not readable' },
}
