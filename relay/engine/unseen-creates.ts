/**
 * Snapshots whose creation had an unknown outcome, for a day: what is listed under their names may be partial.
 * The Worker notes them too, but KV may return an older state.
 */
import type { Clock } from '../../shared/clock.ts'
import { hasUnknownOutcome } from '../../shared/incus/refusal.ts'
import { matchRoute } from '../../shared/incus/routes.ts'
import type { CallError } from '../../shared/relay/protocol.ts'
import type { Call } from './calls.ts'
import { isObject, text } from './envelope.ts'

export type UnseenCreates = {
  failed(call: Call, error: CallError): void
  /** Created again or deleted, with a known outcome. */
  done(call: Call): void
  /** `project/instance/snapshot`, those of a remote. */
  of(remote: string): string[]
}

const DAY = 86_400_000
const REMEMBERED = 10_000

export function createUnseenCreates(clock: Clock): UnseenCreates {
  /** By `remote/project/instance/snapshot`: since when, the oldest first. */
  const known = new Map<string, number>()
  const dropOld = (): void => {
    for (const [key, at] of known) {
      if (clock.now() - at < DAY && known.size <= REMEMBERED) return
      known.delete(key)
    }
  }
  return {
    failed(call, error) {
      const touched = touchedBy(call)
      if (touched?.route !== 'createSnapshot' || !hasUnknownOutcome(error)) return
      known.delete(touched.key)
      known.set(touched.key, clock.now())
      dropOld()
    },
    done(call) {
      const touched = touchedBy(call)
      if (touched !== null) known.delete(touched.key)
    },
    of(remote) {
      dropOld()
      return [...known.keys()].flatMap((key) =>
        key.startsWith(`${remote}/`) ? [key.slice(remote.length + 1)] : [],
      )
    },
  }
}

function touchedBy({ remote, method, path, body }: Call): { route: string; key: string } | null {
  const match = matchRoute(method, path)
  if (match?.name !== 'createSnapshot' && match?.name !== 'deleteSnapshot') return null
  const { instance = '', snapshot = isObject(body) ? text(body.name) : '' } = match.parameters
  return { route: match.name, key: `${remote}/${match.query.project ?? 'default'}/${instance}/${snapshot}` }
}
