/** Sends a test to each channel, and shows what came back. */
import type { Context } from 'hono'
import { testLetter } from '../../shared/notify/letter.ts'
import type { App } from '../env.ts'
import { vaultOf } from '../notify/notifier.ts'
import { post, sendLetter } from '../notify/send.ts'
import { readConfig } from '../state/config.ts'
import { UNCONFIGURED } from './answer-run.ts'
import { answerProblem } from './problem.ts'

export async function answerNotifyTest(context: Context<App>, now: () => Date): Promise<Response> {
  const stored = await readConfig(context.get('io').state)
  if (stored === null) return answerProblem(context, UNCONFIGURED)
  const sender = { vault: vaultOf(context.env), post, now }
  const channels = await Promise.all(
    (stored.config.notify ?? []).map(async (channel) => {
      const sent = await sendLetter(channel, testLetter(now()), sender)
      const { name, type } = channel
      return { name, type, ...(sent.ok ? { ok: true } : { ok: false, reason: sent.reason }) }
    }),
  )
  return context.json({ channels })
}
