/** The actor of the API: whoever has its token. */
import type { Context } from 'hono'
import type { Actor } from '../../shared/chat/actor.ts'

type Caller = Pick<Actor, 'id' | 'name' | 'place'>

export const callerOf = (context: Context): Caller => ({
  id: 'api',
  name: 'the API',
  place: `api:${context.req.header('cf-connecting-ip') ?? ''}`,
})

/** Id of a request's audit record. */
export const requestId = (): string => crypto.randomUUID().slice(0, 13)
