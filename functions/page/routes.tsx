/** The page: what it has, and for whom. */
import type { Context } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { Hono } from 'hono/tiny'
import { workOf } from '../../shared/command/work.ts'
import { overviewOf, type Query } from '../../shared/page/overview.ts'
import { troublesOf } from '../../shared/promise/verdict.ts'
import { type Applied, policiesStatus, verdictIn } from '../api/status.ts'
import type { App } from '../env.ts'
import type { Known } from '../state/known.ts'
import { simulated, simulateForm } from './answer-simulate.tsx'
import { pageOf } from './answer-subject.tsx'
import { document } from './document.ts'
import { createFormGate, createGate, createSetUpGate, createSignIn, signOut } from './gate.tsx'
import { secured } from './headers.ts'
import { OverviewPage } from './overview.tsx'
import { ICON, STYLE } from './style.ts'

/** Bytes of a form. */
const LONGEST = 16 * 1024
/** Bytes of one with a document in it. */
const LONGEST_DOCUMENT = 2 * 1024 * 1024

/** All that KV has. */
type ReadKnown = (context: Context<App>) => Promise<[Applied, Known]>

export function mountPage(app: Hono<App>, readAll: ReadKnown, now: () => Date): void {
  const gate = createGate(now)
  const outer = [secured, createSetUpGate(now), createFormGate(now)] as const
  app.get('/', ...outer, gate, async (context) => {
    const [found, known] = await readAll(context)
    return context.html(overviewAt(found, known, queryOf(context), now()))
  })
  app.get('/subject/:remote/:project/:name', ...outer, gate, async (context) => {
    const { remote, project, name } = context.req.param()
    const key = `${remote}/${project}/${name}`
    const [applied, known] = await readAll(context)
    const { found, page } = await pageOf(key, applied, known, context.get('io'), now())
    return context.html(document(page), found ? 200 : 404)
  })
  app.get('/simulate', ...outer, gate, async (context) => {
    const page = await simulateForm(context.get('io'), context.req.query(), now())
    return context.html(document(page))
  })
  app.post('/simulate', ...outer, gate, bodyLimit({ maxSize: LONGEST_DOCUMENT }), async (context) => {
    const form = new URLSearchParams(await context.req.text())
    return context.html(document(await simulated(context.get('io'), form, now())))
  })
  app.post('/sign-in', ...outer, bodyLimit({ maxSize: LONGEST }), createSignIn(now))
  app.get('/sign-in', secured, (context) => context.redirect('/', 303))
  app.post('/sign-out', ...outer, signOut)
  app.get('/page.css', secured, (context) => asset(context, STYLE, 'text/css; charset=utf-8'))
  app.get('/icon.svg', secured, (context) => asset(context, ICON, 'image/svg+xml'))
}

const asset = (context: Context<App>, text: string, type: string): Response =>
  context.body(text, 200, { 'content-type': type, 'cache-control': 'public, max-age=600' })

function queryOf({ req }: Context<App>): Query {
  const { q = '', show, page } = req.query()
  const number = Number(page ?? 1)
  return {
    words: q,
    shown: show === 'attention' ? 'attention' : 'all',
    page: Number.isSafeInteger(number) && number > 0 ? number : 1,
  }
}

function overviewAt(found: Applied, known: Known, query: Query, now: Date): string {
  const verdict = verdictIn(found, known, now)
  const troubles = troublesOf(verdict)
  const running = workOf(known.ledger, () => true).filter(({ state }) => state === 'runs')
  const policies = policiesStatus(found.stored, known.ledger, now)
  const overview = overviewOf(verdict, troubles, known.facts, query)
  const seen = known.facts?.at ?? null
  return document(<OverviewPage {...{ verdict, troubles, overview, query, running, policies, seen, now }} />)
}
