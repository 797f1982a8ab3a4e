/**
 * Instances whose two lists of snapshots disagree, according to an error of Incus. Each inventory reads both
 * lists of these until they agree. They may disagree for a moment only, or for good after a power cut.
 */
import { classify } from '../../shared/incus/refusal.ts'
import { matchRoute } from '../../shared/incus/routes.ts'
import type { CallError, Step } from '../../shared/relay/protocol.ts'
import { isObject, text } from './envelope.ts'
import { volumeKey } from './parse-volumes.ts'

export type Suspects = {
  /** A job failed with that error: the instances of its steps are checked. */
  note(steps: readonly Step[], error: CallError): void
  /** By `volumeKey`, those of a remote. */
  of(remote: string): ReadonlySet<string>
  acquit(remote: string, key: string): void
}

export function createSuspects(): Suspects {
  const known = new Map<string, Set<string>>()
  return {
    note(steps, error) {
      if (classify(error) !== 'uneven') return
      for (const step of steps) {
        const key = touched(step)
        if (key !== null) known.set(step.remote, (known.get(step.remote) ?? new Set()).add(key))
      }
    },
    of: (remote) => known.get(remote) ?? new Set(),
    acquit: (remote, key) => void known.get(remote)?.delete(key),
  }
}

function touched({ method, path, body }: Step): string | null {
  const match = matchRoute(method, path)
  const { instance = isObject(body) ? text(body.name) : '' } = match?.parameters ?? {}
  return instance === '' ? null : volumeKey(match?.query.project ?? 'default', instance)
}
