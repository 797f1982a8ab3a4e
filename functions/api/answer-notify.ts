/** Sends a test to each channel, and shows what came back. */
import type { Context } from 'hono'
import type { App } from '../env.ts'
import { testApplied } from '../notify/test-channels.ts'
import { readConfig } from '../state/config.ts'
import { UNCONFIGURED } from './answer-run.ts'
import { answerProblem } from './problem.ts'

export async function answerNotifyTest(context: Context<App>): Promise<Response> {
  const io = context.get('io')
  const stored = await readConfig(io.state)
  if (stored === null) return answerProblem(context, UNCONFIGURED)
  return context.json({ channels: await testApplied(io, stored) })
}
