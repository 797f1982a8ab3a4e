/**
 * Instances whose two lists of snapshots disagree, according to an error of Incus or to a look before a
 * copy. Each inventory reads both lists of these until they agree. They may disagree for a moment only, or for good after a power cut.
 */
import { classify } from '../../shared/incus/refusal.ts'
import { matchRoute } from '../../shared/incus/routes.ts'
import type { CallError } from '../../shared/relay/protocol.ts'
import type { Call } from './calls.ts'
import { isObject, text } from './envelope.ts'
import { volumeKey } from './parse-volumes.ts'
import { subjectNameIn } from './subject-requests.ts'

export type Suspects = {
  /** A job failed with that error: the instances of its calls are checked. */
  note(calls: readonly Call[], error: CallError): void
  /** By `volumeKey`. */
  add(remote: string, key: string): void
  /** By `volumeKey`, those of a remote. */
  of(remote: string): ReadonlySet<string>
  acquit(remote: string, key: string): void
}

export function createSuspects(): Suspects {
  const known = new Map<string, Set<string>>()
  const add = (remote: string, key: string): void =>
    void known.set(remote, (known.get(remote) ?? new Set()).add(key))
  return {
    add,
    note(calls, error) {
      if (classify(error) !== 'uneven') return
      for (const call of calls) {
        const key = touched(call)
        if (key !== null) add(call.remote, key)
      }
    },
    of: (remote) => known.get(remote) ?? new Set(),
    acquit: (remote, key) => void known.get(remote)?.delete(key),
  }
}

function touched({ method, path, body }: Call): string | null {
  const match = matchRoute(method, path)
  const name = (match === null ? '' : subjectNameIn(match)) || (isObject(body) ? text(body.name) : '')
  return name === '' ? null : volumeKey(match?.query.project ?? 'default', name)
}
