/** Who may do what: trusted client certificates by fingerprint, some of them restricted to projects. */
import { Refusal } from './envelope.ts'

/** `projects` is null for a certificate without restrictions. */
export type TrustedCertificate = {
  fingerprint: string
  name: string
  certificate: string
  projects: ReadonlySet<string> | null
}

export type Access = {
  trusted: boolean
  user: string
  method: 'tls' | 'unix'
  projects: ReadonlySet<string> | null
}

const UNTRUSTED: Access = { trusted: false, user: '', method: 'tls', projects: new Set() }
const SOCKET: Access = { trusted: true, user: '', method: 'unix', projects: null }

/** A client is a certificate's fingerprint, null without one, or `unix`: the server's own socket. */
export function accessOf(trusted: ReadonlyMap<string, TrustedCertificate>, client: string | null): Access {
  if (client === 'unix') return SOCKET
  const certificate = client === null ? undefined : trusted.get(client)
  return certificate === undefined
    ? UNTRUSTED
    : { trusted: true, user: certificate.fingerprint, method: 'tls', projects: certificate.projects }
}

/**
 * What a route asks of its caller. Refusals are as uneven as Incus's: 403 for one object or its volumes, 500 for a
 * list. `open` is for everybody, `any` for every trusted client, `server` for the unrestricted.
 */
export type Right = 'open' | 'any' | 'object' | 'volumes' | 'list' | 'server'

export const mayUse = (access: Access, project: string): boolean =>
  access.projects === null || access.projects.has(project)

/** `filtered`: what isn't the caller's is left out of lists instead. */
export function checkAccess(access: Access, right: Right, project: string, filtered: boolean): void {
  if (right === 'open') return
  if (!access.trusted) throw new Refusal(403, 'not authorized')
  if (right === 'any' || access.projects === null) return
  if (right === 'server') throw new Refusal(500, 'Certificate is restricted')
  if (access.projects.has(project) || (filtered && right !== 'object')) return
  throw right === 'list'
    ? new Refusal(500, `User does not have permissions for project "${project}"`)
    : new Refusal(403, `User does not have permission for project "${project}"`)
}
