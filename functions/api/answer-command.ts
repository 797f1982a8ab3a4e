/** `POST /api/command`: what one reads or pauses in chat, by the same line, for whoever sits at a terminal. */
import type { Context } from 'hono'
import type { Actor } from '../../shared/chat/actor.ts'
import type { Message } from '../../shared/chat/message.ts'
import { plainText } from '../../shared/chat/plain-text.ts'
import type { Parsed } from '../../shared/command/command.ts'
import { commands } from '../../shared/command/commands.ts'
import { parseLine } from '../../shared/command/parse.ts'
import { err, ok, type Result } from '../../shared/result.ts'
import { changeSetting } from '../change-setting.ts'
import { read } from '../chatops/read.ts'
import type { App } from '../env.ts'
import { readConfig } from '../state/config.ts'
import { UNCONFIGURED } from './answer-run.ts'
import { readBody } from './body.ts'
import { callerOf, requestId } from './caller.ts'
import { answerProblem, type Problem } from './problem.ts'
import { commandBody } from './requests.ts'

export async function answerCommand(context: Context<App>, now: () => Date): Promise<Response> {
  const body = await readBody(context, commandBody)
  if (!body.ok) return answerProblem(context, body.error)
  const parsed = parseLine(body.value.line, commands)
  if (!parsed.ok) return answerProblem(context, misunderstood(parsed.error.text))
  const said = await messageOf(parsed.value, context, now)
  if (!said.ok) return answerProblem(context, said.error)
  const message = said.value
  return context.json({ line: parsed.value.line, tone: message.tone, text: plainText(message), message })
}

const misunderstood = (detail: string): Problem => ({ status: 422, title: 'Not understood', detail })

async function messageOf(
  { command, values, line }: Parsed,
  context: Context<App>,
  now: () => Date,
): Promise<Result<Message, Problem>> {
  const { io, actor } = { io: context.get('io'), actor: apiActor(context) }
  const kv = context.env.STATE
  switch (command.kind) {
    case 'read': {
      const permission = { allowed: true, instances: null } as const
      const stored = await readConfig(io.state)
      // A terminal has room for all of it.
      const room = Number.POSITIVE_INFINITY
      const asked = { incoming: { actor }, parsed: { command, values, line }, permission, stored, room }
      return ok(await read(command, asked, { io, kv, now }))
    }
    case 'setting': {
      if ((await readConfig(io.state)) === null) return err(UNCONFIGURED)
      const asked = { command, values, line, actor, id: requestId(), at: now() }
      const changed = await changeSetting(asked, { state: io.state, kv, now })
      return changed.ok ? changed : err({ status: 422, title: 'Refused', detail: changed.error })
    }
    case 'preview':
    case 'change':
      return err({
        status: 422,
        title: 'Not here',
        detail: `${command.name} is a request to Incus: POST /api/plan shows its plan, and POST /api/run performs it, as "do"`,
      })
  }
}

/** Whoever has the token. */
const apiActor = (context: Context<App>): Actor => {
  const caller = callerOf(context)
  return { ...caller, platform: 'api', principals: [caller.id], user: caller.name }
}
