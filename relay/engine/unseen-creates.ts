/**
 * Snapshots whose creation had an unknown outcome, for a day: what is listed under their names may be partial.
 * The Worker notes them too, but KV may return an older state.
 */
import type { Clock } from '../../shared/clock.ts'
import { hasUnknownOutcome } from '../../shared/incus/refusal.ts'
import { matchRoute } from '../../shared/incus/routes.ts'
import { type InstanceRef, subjectKey } from '../../shared/incus/subject.ts'
import type { CallError } from '../../shared/relay/protocol.ts'
import type { Call } from './calls.ts'
import { isObject, text } from './envelope.ts'
import { createsSnapshot, deletesSnapshot, subjectNameIn } from './subject-requests.ts'

export type UnseenCreates = {
  failed(call: Call, error: CallError): void
  /** Created again or deleted, with a known outcome. */
  done(call: Call): void
  /** Whether its creation was seen to succeed within the last minutes: it is whole, whatever a late tick says. */
  isMade(ref: InstanceRef, snapshot: string): boolean
  /** `project/instance/snapshot`, those of a remote. */
  of(remote: string): string[]
}

const DAY = 86_400_000
/** Milliseconds for which a success is remembered: two ticks at once may try the same. */
const SURE = 600_000
const REMEMBERED = 10_000

export function createUnseenCreates(clock: Clock): UnseenCreates {
  /** By `remote/project/instance/snapshot`: since when, the oldest first. */
  const known = new Map<string, number>()
  /** Those that were seen to succeed, likewise. */
  const made = new Map<string, number>()
  const put = (keys: Map<string, number>, key: string, kept: number): void => {
    keys.delete(key)
    keys.set(key, clock.now())
    dropOld(keys, kept)
  }
  const dropOld = (keys: Map<string, number>, kept: number): void => {
    for (const [key, at] of keys) {
      if (clock.now() - at < kept && keys.size <= REMEMBERED) return
      keys.delete(key)
    }
  }
  return {
    failed(call, error) {
      const touched = touchedBy(call)
      if (touched === null || !hasUnknownOutcome(error)) return
      if (!touched.creates) return void made.delete(touched.key)
      // Incus makes no second one under the name of one that is there.
      dropOld(made, SURE)
      if (!made.has(touched.key)) put(known, touched.key, DAY)
    },
    done(call) {
      const touched = touchedBy(call)
      if (touched === null) return
      known.delete(touched.key)
      if (touched.creates) put(made, touched.key, SURE)
      else made.delete(touched.key)
    },
    isMade(ref, snapshot) {
      dropOld(made, SURE)
      return made.has(`${subjectKey(ref)}/${snapshot}`)
    },
    of(remote) {
      dropOld(known, DAY)
      return [...known.keys()].flatMap((key) =>
        key.startsWith(`${remote}/`) ? [key.slice(remote.length + 1)] : [],
      )
    },
  }
}

/** `creates`: else it deletes. */
function touchedBy({ remote, method, path, body }: Call): { creates: boolean; key: string } | null {
  const match = matchRoute(method, path)
  if (match === null || !(createsSnapshot(match) || deletesSnapshot(match))) return null
  const { snapshot = isObject(body) ? text(body.name) : '' } = match.parameters
  const subject = `${remote}/${match.query.project ?? 'default'}/${subjectNameIn(match)}`
  return { creates: createsSnapshot(match), key: `${subject}/${snapshot}` }
}
