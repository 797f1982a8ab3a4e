/** `POST /api/plan` and `POST /api/run`: the same body and plan; only the second performs it. */

import type { Context } from 'hono'
import { renderLines } from '../../shared/plan/line.ts'
import { digestText, linesOf } from '../../shared/plan/lines.ts'
import type { Refusal } from '../../shared/plan/plan.ts'
import { ok } from '../../shared/result.ts'
import type { BackupRequest } from '../../shared/work/kinds.ts'
import { change, type Stop } from '../change.ts'
import { digestOf } from '../digest.ts'
import type { App } from '../env.ts'
import { logRun } from '../log-run.ts'
import { planOnly, run } from '../run.ts'
import type { Run } from '../summary.ts'
import { checkConfig } from './apply.ts'
import { readBody } from './body.ts'
import { callerOf, requestId } from './caller.ts'
import { lineInApi } from './in-api.ts'
import { lineOf } from './line-of.ts'
import { answerProblem, type Problem } from './problem.ts'
import { requestOf } from './read-request.ts'
import { planBody, runBody } from './requests.ts'

export const unreadable = (problems: readonly string[]): Problem => ({
  status: 500,
  title: 'Not readable',
  detail: problems.join('; '),
})

export const UNCONFIGURED: Problem = {
  status: 409,
  title: 'No configuration',
  detail: 'apply a stapes.jsonc first: PUT /api/config',
}

export async function answerPlan(context: Context<App>, at: Date): Promise<Response> {
  const body = await readBody(context, planBody)
  if (!body.ok) return answerProblem(context, body.error)
  const { document, ...rest } = body.value
  const request = requestOf(rest, { shown: true })
  if (!request.ok) return answerProblem(context, request.error)
  const io = context.get('io')
  const checked = document === undefined ? ok(null) : await checkConfig(document, io, at)
  if (!checked.ok) return answerProblem(context, checked.error)
  const { stored, applied = true, warnings = [] } = checked.value ?? {}
  const plan = await planOnly(
    { kind: 'run', at, ...(request.value === null ? {} : { request: request.value }) },
    io,
    stored,
  )
  if (plan === null) return answerProblem(context, UNCONFIGURED)
  if (plan.refusal !== null) return answerProblem(context, refused(plan.refusal))
  const lines = rest.line === undefined ? linesOf(plan).map(lineInApi) : linesOf(plan)
  const digest = await digestOf(digestText(plan))
  const { approval } = plan
  // Told before all lines, also of the applied document: as long as it is so, nothing of that works.
  const told = [...new Set([...(plan.sight?.roles ?? []), ...warnings])]
  return context.json({
    ...{ at: plan.at, lines, text: renderLines(lines), digest, applied, warnings: told, approval },
  })
}

export async function answerRun(context: Context<App>, at: Date): Promise<Response> {
  const body = await readBody(context, runBody)
  if (!body.ok) return answerProblem(context, body.error)
  const request = requestOf(body.value)
  if (!request.ok) return answerProblem(context, request.error)
  if (request.value !== null) return answerChange(context, request.value, body.value, at)
  return context.json(logRun(await run({ kind: 'run', at }, context.get('io')), context.get('io')))
}

async function answerChange(
  context: Context<App>,
  request: BackupRequest,
  { confirm, line }: { confirm?: string | undefined; line?: string | undefined },
  at: Date,
): Promise<Response> {
  const changed = await change(
    {
      ...{ id: requestId(), at, request, line: lineOf(request), actor: callerOf(context), expected: confirm },
      permission: { allowed: true, instances: null },
      // The caller doesn't wait for it.
      reply: null,
    },
    context.get('io'),
    context.env.STATE,
  )
  if (changed.state === 'unconfigured') return answerProblem(context, UNCONFIGURED)
  if (changed.state === 'stopped') return answerProblem(context, stopped(changed.stop, confirm))
  const { run: ran } = changed
  if (ran.refusal !== null) return answerProblem(context, refused(ran.refusal))
  // Whoever sends a command reads commands.
  return context.json(line === undefined ? ranInApi(ran) : ran)
}

const ranInApi = (ran: Extract<Run, { state: 'ran' }>): Run => ({
  ...ran,
  lines: ran.lines.map(lineInApi),
  results: ran.results.map((result) => ({ ...result, line: lineInApi(result.line) })),
})

export const refused = ({ reason }: Refusal): Problem => ({ status: 422, title: 'Refused', detail: reason })

function stopped(stop: Stop, confirm: string | undefined): Problem {
  if (stop.code === 'approval')
    return {
      status: 403,
      title: 'A second person has to confirm it',
      detail:
        'a policy of the instance requires it, and the API’s token counts as one person: request it in chat',
    }
  const how = 'send the digest that POST /api/plan gives for the same body as "confirm"'
  return confirm === undefined
    ? {
        status: 409,
        title: 'Not confirmed',
        detail: `it removes or overwrites data: check its plan, and ${how}`,
      }
    : {
        status: 409,
        title: 'The plan has changed',
        detail: `nothing was done: check the plan again, and ${how}`,
      }
}
