/** The HTTP API: a bearer token, problem+json for every error. */
import type { Context, MiddlewareHandler } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { Hono } from 'hono/tiny'
import { timingSafeEqual } from 'hono/utils/buffer'
import { describe } from '../shared/incus/refusal.ts'
import { applyKeep } from '../shared/retention/apply.ts'
import { isTimezone } from '../shared/schedule/zone.ts'
import { answerApply } from './api/answer-apply.ts'
import { answerCommand } from './api/answer-command.ts'
import { answerContent, answerFiles } from './api/answer-files.ts'
import { answerNotifyTest } from './api/answer-notify.ts'
import { progressOf } from './api/answer-progress.ts'
import { answerPlan, answerRun, UNCONFIGURED, unreadable } from './api/answer-run.ts'
import { answerSimulate } from './api/answer-simulate.ts'
import { limitBody, readBody } from './api/body.ts'
import { openapi } from './api/endpoints.ts'
import { instancesOf } from './api/instances.ts'
import { answerMetrics } from './api/metrics.ts'
import { answerProblem } from './api/problem.ts'
import { retentionBody } from './api/requests.ts'
import { type Applied, healthOf, statusOf } from './api/status.ts'
import { mountChat } from './chatops/routes.ts'
import { doctor } from './doctor.ts'
import { type App, missingOf, relayProblemOf } from './env.ts'
import { storedExportsOf } from './exports.ts'
import { ioOf } from './io.ts'
import { logRun } from './log-run.ts'
import { notifyAll } from './notify/notifier.ts'
import { runPinged } from './ping/pinger.ts'
import { look } from './run.ts'
import { snapshotsOf } from './snapshots.ts'
import { readHistory } from './state/audit.ts'
import { findConfig, readConfig } from './state/config.ts'
import { readFacts } from './state/facts.ts'
import { type Known, readKnown } from './state/known.ts'
import { withReadsOnce } from './state/once.ts'
import { outageProblems } from './state/unwritten.ts'

/** Bytes of a request's body. */
const LONGEST = 2 * 1024 * 1024
const REALM = 'Bearer realm="stapes"'

/** Reads the configuration and the ledger, with what is wrong in KV and with the relay's address. */
export type ReadKnown = (context: Context<App>) => Promise<[Applied, Known]>

/** `now` is the only clock; tests pass their own. `mount` adds what needs no bearer token. */
export function createApi(
  now: () => Date,
  mount: (app: Hono<App>, known: ReadKnown, now: () => Date) => void = () => {},
): Hono<App> {
  const app = new Hono<App>()
  app.onError((error, context) => {
    if (error instanceof HTTPException)
      return answerProblem(context, { status: 400, title: 'Bad request', detail: error.message })
    console.error(JSON.stringify({ at: 'http', error: String(error) }))
    return answerProblem(context, {
      status: 500,
      title: 'Internal error',
      detail: 'see the logs of the Worker; nothing was lost',
    })
  })
  app.notFound((context) =>
    answerProblem(context, {
      status: 404,
      title: 'Not found',
      detail: 'see /openapi.json for what there is',
    }),
  )
  const known: ReadKnown = async (context) => {
    const { state } = context.get('io')
    const { stored, problems } = await findConfig(state)
    const unsent = relayProblemOf(context.env)
    const wrong = [...outageProblems(now()), ...problems]
    return [{ stored, problems: unsent === null ? wrong : [unsent, ...wrong] }, await readKnown(state, now())]
  }
  // For monitors of the Worker alone: it tells nothing but that it runs.
  app.get('/healthz', (context) => context.json({ alive: true }))
  app.get('/openapi.json', (context) => context.json(openapi()))
  mountChat(app, now)
  mount(app, known, now)
  const authorized: MiddlewareHandler<App> = async (context, next) => {
    const missing = missingOf(context.env)
    if (missing.length > 0)
      return answerProblem(context, {
        status: 503,
        title: 'Not set up',
        detail: `set ${missing.join(', ')}: see "Connect a real server" in the README`,
      })
    const given = /^Bearer +(.+)$/i.exec(context.req.header('authorization') ?? '')?.[1] ?? ''
    if (!(await timingSafeEqual(given, context.env.STAPES_TOKEN))) {
      // RFC 6750, section 3: a request without a token gets no error code.
      context.header('WWW-Authenticate', given === '' ? REALM : `${REALM}, error="invalid_token"`)
      return answerProblem(context, {
        status: 401,
        title: 'Not authorized',
        detail: 'send the header "Authorization: Bearer <STAPES_TOKEN>"',
      })
    }
    context.set('io', await ioOf(context.env, now))
    return next()
  }
  app.use('/api/*', authorized)
  app.use('/metrics', authorized)
  app.use('/api/*', limitBody(LONGEST))

  app.get('/metrics', async (context) =>
    answerMetrics(...(await known(context)), context.req.header('accept'), now()),
  )

  app.get('/api/status', async (context) => context.json(statusOf(...(await known(context)), now())))
  app.get('/api/health', async (context) => {
    const { policy, subject } = context.req.query()
    const health = healthOf(...(await known(context)), now(), { policy, subject })
    return context.json(health, health.health === 'bad' ? 503 : 200)
  })
  app.get('/api/doctor', async (context) => {
    const at = now()
    return context.json({ at: at.toISOString(), ...(await doctor(context.get('io'), at)) })
  })
  app.get('/api/instances', async (context) => {
    const seen = await look(context.get('io'), now())
    if (seen === null) return answerProblem(context, UNCONFIGURED)
    return context.json(instancesOf(seen.coverages, seen.world, seen.ledger, now()))
  })
  app.get('/api/snapshots', async (context) => {
    const io = context.get('io')
    const [seen, stored] = [await look(io, now()), await readConfig(io.state)]
    if (seen === null || stored === null) return answerProblem(context, UNCONFIGURED)
    const known = { ...seen, stored, keyDigest: io.keyDigest, now: now() }
    const listed = await snapshotsOf(context.req.query('instance') ?? '', known, io.relay)
    return listed.ok
      ? context.json(listed.value)
      : answerProblem(context, { status: 404, title: 'Not found', detail: listed.error })
  })
  app.get('/api/exports', async (context) => {
    const seen = await look(context.get('io'), now())
    if (seen === null) return answerProblem(context, UNCONFIGURED)
    const io = context.get('io')
    const { facts } = await readFacts(io.state, now())
    const listed = await storedExportsOf(
      context.req.query('instance') ?? '',
      { ...seen, facts, now: now() },
      io.relay,
    )
    return listed.ok
      ? context.json(listed.value)
      : answerProblem(context, { status: 404, title: 'Not found', detail: listed.error.reason })
  })
  app.get('/api/progress', async (context) => {
    const reply = await context.get('io').relay.inventory({ remotes: [] })
    return reply.ok
      ? context.json(progressOf(reply.value.jobs, now()))
      : answerProblem(context, { status: 502, title: 'Not readable', detail: describe(reply.error, true) })
  })
  app.get('/api/files', (context) => answerFiles(context, now()))
  app.get('/api/files/content', (context) => answerContent(context, now()))
  app.post('/api/plan', (context) => answerPlan(context, now()))
  app.post('/api/simulate', (context) => answerSimulate(context, now()))
  app.post('/api/run', (context) => answerRun(context, now()))
  app.post('/api/command', (context) => answerCommand(context, now))
  app.get('/api/history', async (context) => {
    const count = Number(context.req.query('count') ?? 20)
    if (!Number.isInteger(count) || count < 1 || count > 50)
      return answerProblem(context, {
        status: 422,
        title: 'Not as expected',
        detail: 'count: a number, 1 to 50',
      })
    return context.json({ records: await readHistory(context.env.STATE, count) })
  })
  app.post('/api/tick', async (context) => {
    const io = withReadsOnce(context.get('io'))
    const ran = logRun(await runPinged({ kind: 'tick', at: now() }, io, context.env), io)
    await notifyAll(context.env, io.state, now, false)
    return context.json(ran)
  })
  app.post('/api/notify/test', (context) => answerNotifyTest(context))
  app.get('/api/config', async (context) => {
    const { stored, problems } = await findConfig(context.get('io').state)
    if (stored === null)
      return answerProblem(context, problems.length === 0 ? UNCONFIGURED : unreadable(problems))
    const { version, appliedAt, document } = stored
    return context.json({ version, appliedAt, document })
  })
  app.put('/api/config', (context) => answerApply(context, now()))
  app.post('/api/retention/preview', async (context) => {
    const body = await readBody(context, retentionBody)
    if (!body.ok) return answerProblem(context, body.error)
    const { keep, timezone, snapshots } = body.value
    if (!isTimezone(timezone))
      return answerProblem(context, {
        status: 422,
        title: 'Not as expected',
        detail: `timezone: "${timezone}" is no IANA zone such as "Europe/Berlin"`,
      })
    const candidates = snapshots.map(({ name, takenAt, held }) => ({ name, slot: new Date(takenAt), held }))
    const present = body.value.now === undefined ? now() : new Date(body.value.now)
    return context.json(applyKeep(keep, { timezone, now: present, candidates }))
  })
  return app
}
