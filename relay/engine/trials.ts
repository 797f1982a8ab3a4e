/**
 * What a certificate may do, by asking for it so that nothing comes of it, whatever the answer: each request reads, names an instance that exists nowhere, or
 * lacks what Incus needs to begin. Incus looks at rights first.
 */
import type { IncusRequest } from '../../shared/incus/routes.ts'
import { RIGHTS, type Right } from '../../shared/relay/exam.ts'
import { isObject, text } from './envelope.ts'
import type { Reply, Upstream } from './upstream.ts'

/** `name`: of an instance that there isn't. */
export type Trial = (name: string, project: string) => IncusRequest

const at = (name: string, what: string, project: string): string =>
  `/1.0/instances/${name}/${what}?project=${encodeURIComponent(project)}`

/** What no scriptlet of stapes allows. */
export const FORBIDDEN: Record<Right, Trial> = {
  // Nobody but who may do everything is told the server's warnings.
  server: () => ({ method: 'GET', path: '/1.0/warnings' }),
  files: (name, project) => ({ method: 'GET', path: `${at(name, 'files', project)}&path=/` }),
  console: (name, project) => ({ method: 'POST', path: at(name, 'console', project), body: {} }),
  profiles: (_, project) => ({
    ...{ method: 'POST', path: `/1.0/profiles?project=${encodeURIComponent(project)}` },
    body: {},
  }),
}

const TIMEOUT = 10_000

export async function tryForbidden(
  { upstream, remote, project }: { upstream: Upstream; remote: string; project: string },
  name: string,
): Promise<Record<Right, boolean | null>> {
  const tried = await Promise.all(
    RIGHTS.map(async (right) => {
      const reply = await upstream.request(remote, FORBIDDEN[right](name, project), { timeout: TIMEOUT })
      return [right, isAllowed(right, reply)] as const
    }),
  )
  return Object.fromEntries(tried) as Record<Right, boolean | null>
}

/** Null: the answer says nothing about it. */
export function isAllowed(right: Right, reply: Reply): boolean | null {
  if (!reply.ok) return reply.error.code === 'untrusted' ? false : null
  const error = isObject(reply.body) ? text(reply.body.error) : ''
  if (reply.status === 403 || REFUSED.test(error)) return false
  // That there is no such instance, or that the body lacks something, is said after the question of rights.
  if (right === 'server') return reply.status === 200 ? true : null
  return reply.status === 404 || reply.status === 400 ? true : null
}

/** Some refusals of Incus have the status 500. */
const REFUSED = /certificate is restricted|does not have permissions?/i
