/** `POST /api/simulate`: what a configuration would keep and remove; the servers are only observed. */
import type { Context } from 'hono'
import { renderLines } from '../../shared/plan/line.ts'
import { ok } from '../../shared/result.ts'
import { differenceOf } from '../../shared/simulate/difference.ts'
import { renderForecast } from '../../shared/simulate/text.ts'
import type { App } from '../env.ts'
import { simulateOnly } from '../simulate.ts'
import { withReadsOnce } from '../state/once.ts'
import { refused, UNCONFIGURED } from './answer-run.ts'
import { checkConfig } from './apply.ts'
import { readBody } from './body.ts'
import { answerProblem } from './problem.ts'
import { simulateBody } from './requests.ts'

export async function answerSimulate(context: Context<App>, at: Date): Promise<Response> {
  const body = await readBody(context, simulateBody)
  if (!body.ok) return answerProblem(context, body.error)
  const { document, ...asked } = body.value
  const io = withReadsOnce(context.get('io'))
  const checked = document === undefined ? ok(null) : await checkConfig(document, io, at)
  if (!checked.ok) return answerProblem(context, checked.error)
  const { stored, applied = true, warnings = [] } = checked.value ?? {}
  const simulated = await simulateOnly(asked, io, at, stored)
  if (simulated === null) return answerProblem(context, UNCONFIGURED)
  if (!simulated.ok) return answerProblem(context, refused(simulated.error))
  const { forecast, applied: current, notes } = simulated.value
  const lines = current === null ? null : differenceOf(current, forecast)
  const difference = lines === null ? null : { lines, text: renderLines(lines) }
  const told = [...warnings, ...notes.map(({ about, reason }) => `${about}: ${reason}`)]
  return context.json({ ...forecast, text: renderForecast(forecast), difference, applied, warnings: told })
}
