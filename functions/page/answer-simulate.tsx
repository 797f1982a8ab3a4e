/** `GET` and `POST /simulate`: what a changed policy, or a whole document, would keep and remove. Nothing is applied. */
import { describeMisread, parseJsonc } from '../../shared/jsonc.ts'
import { type Change, changeOf, policiesIn, withChange } from '../../shared/page/change.ts'
import { err, type Result } from '../../shared/result.ts'
import { checkConfig } from '../api/apply.ts'
import { simulateBody } from '../api/requests.ts'
import type { Io } from '../run.ts'
import { simulateOnly } from '../simulate.ts'
import { readConfig } from '../state/config.ts'
import { type Outcome, SimulatePage } from './simulate.tsx'

/** What was typed, or what is applied. */
type Asked = {
  change: Change
  document: string
  subject: string
  part: 'policy' | 'document'
  isThorough: boolean
}

/** Of a thorough one, see requests.ts. */
const EFFORT = 600_000

type Page = ReturnType<typeof SimulatePage>

export async function simulateForm(io: Io, query: Record<string, string>, now: Date): Promise<Page> {
  const stored = await readConfig(io.state)
  const asked = askedOf(stored?.document, new Map(Object.entries(query)))
  return pageWith(asked, stored?.document, null, now)
}

export async function simulated(io: Io, form: URLSearchParams, now: Date): Promise<Page> {
  const stored = await readConfig(io.state)
  const asked = askedOf(stored?.document, new Map(form))
  const outcome = await simulate(stored?.document, asked, io, now)
  return pageWith(asked, stored?.document, outcome, now)
}

const pageWith = (asked: Asked, applied: unknown, outcome: Outcome | null, now: Date): Page => {
  const { change, document, subject, isThorough } = asked
  const policies = policiesIn(applied)
  return <SimulatePage {...{ policies, change, document, subject, isThorough, outcome, now }} />
}

function askedOf(document: unknown, given: ReadonlyMap<string, string>): Asked {
  const applied = changeOf(document, given.get('policy') ?? policiesIn(document)[0] ?? '')
  return {
    change: {
      policy: applied.policy,
      schedule: given.get('schedule') ?? applied.schedule,
      keep: given.get('keep') ?? applied.keep,
      expiry: given.get('expiry') ?? applied.expiry,
    },
    document: given.get('document') ?? (document === undefined ? '' : JSON.stringify(document, null, 2)),
    subject: given.get('subject') ?? '',
    part: given.get('part') === 'document' ? 'document' : 'policy',
    isThorough: given.get('effort') === 'thorough',
  }
}

async function simulate(applied: unknown, asked: Asked, io: Io, now: Date): Promise<Outcome> {
  const document = documentOf(applied, asked)
  if (!document.ok) return { ok: false, problems: [document.error] }
  const checked = await checkConfig(document.value, io, now)
  if (!checked.ok) {
    const { detail, errors } = checked.error
    return { ok: false, problems: errors?.map(({ path, message }) => `${path}: ${message}`) ?? [detail] }
  }
  const subject = asked.subject.trim()
  const { document: _, ...scope } = simulateBody.parse({
    ...(asked.part === 'policy' ? { policy: asked.change.policy } : {}),
    ...(subject === '' ? {} : { subject }),
    ...(asked.isThorough ? { effort: EFFORT } : {}),
  })
  const found = await simulateOnly(scope, io, now, checked.value.stored)
  if (found === null) return { ok: false, problems: ['no configuration is applied'] }
  if (!found.ok) return { ok: false, problems: [found.error.reason] }
  const { forecast, applied: current, notes } = found.value
  const told = [...checked.value.warnings, ...notes.map(({ about, reason }) => `${about}: ${reason}`)]
  return { ok: true, forecast, current, warnings: told, isApplied: checked.value.applied }
}

function documentOf(applied: unknown, { part, document, change }: Asked): Result<unknown, string> {
  if (part === 'policy') return withChange(applied, change)
  const parsed = parseJsonc(document)
  return parsed.ok ? parsed : err(`the document can't be read: ${describeMisread(parsed.error)}`)
}
