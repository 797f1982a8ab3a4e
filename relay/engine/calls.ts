/** A request to Incus, with what has to be waited for. */
import type { IncusRequest } from '../../shared/incus/routes.ts'

/**
 * In a body, an object with one of these keys is replaced before sending:
 * `{"$step": n, "pointer": "/metadata/metadata"}`: that part (RFC 6901) of call n's reply;
 * `{"$operationUrl": n}`: the URL under which another server reaches the operation that call n made;
 * `{"$certificate": "remote"}`: that server's certificate, PEM.
 */
export type Call = IncusRequest & {
  remote: string
  /** Wait for the operation's end, at most so many seconds; absent: don't wait. Ignored for sync replies. */
  wait?: number
  /** Incus answers only once it is done, after so many seconds at most. */
  blocks?: number
  /** Also wait for the end of the operation that this earlier call made; it must end well too. */
  alsoWaitFor?: number
  /** The relay joins the websockets of its operation, the receiving one, with those of the one that this earlier call made; both must end well. */
  joins?: number
  /** If a later call fails, cancel the operation this one made (a migration source nobody will fetch). */
  cancelOnFailure?: boolean
  /** Made only while the snapshot that it changes has this expiry, as Incus gave it; else nothing is done, and that is well. */
  ifExpiresAt?: string
  /** What comes after it is made also if it fails: it is tried again another time. */
  optional?: true
  /** An error of Incus with this status counts as success (404 when deleting what may be gone). */
  tolerate?: number[]
}
