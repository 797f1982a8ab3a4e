/** Requests to hold or release a snapshot: a mark on its instance, and its expiry. */
import { own } from '../../own.ts'
import { findSubject, missing } from '../../plan/find.ts'
import { ownExpiry } from '../../plan/own-expiry.ts'
import type { Note, Refusal } from '../../plan/plan.ts'
import type { AnyRequest, OneSnapshot } from '../../plan/request.ts'
import { HOLD, undoableOn } from '../../policy/marks.ts'
import { ok, type Result } from '../../result.ts'
import { type Answer, type Given, oneOf, type Requestable, type Requested } from '../kind.ts'
import { forWhole } from '../whole.ts'
import type { MarkAction } from './action.ts'

type SetRequest = AnyRequest & { do: 'hold'; note: string } & OneSnapshot
type ReleaseRequest = AnyRequest & { do: 'release' } & OneSnapshot
export type HoldRequest = SetRequest | ReleaseRequest

export const requestHold: Requestable<SetRequest> = {
  destructive: false,
  read: (given, reason) => readHold(given, reason),
  plan: forWhole(planRequested),
}

export const requestRelease: Requestable<ReleaseRequest> = {
  destructive: false,
  read: (given, reason) => {
    const one = oneOf('release', given)
    return one.ok ? ok({ do: 'release', ...one.value, reason }) : one
  },
  plan: forWhole(planRequested),
}

function readHold(given: Given, reason: string): Result<SetRequest, string> {
  const one = oneOf('hold', given)
  return one.ok ? ok({ do: 'hold', note: given.note ?? reason, ...one.value, reason }) : one
}

function planRequested({ request, world, coverages, now, found }: Requested<HoldRequest>): Answer | Refusal {
  const instance = findSubject(world, request.instance)
  if (!instance.ok) return instance.error
  const { key, ref, record } = instance.value
  const { snapshot } = request
  const config = `${HOLD}${snapshot}`
  const text = own(record.config, config) ?? ''
  // A restore has removed the hold with the instance's config, and sets it again.
  const lost = found.held.get(key)?.has(snapshot) === true
  const held = (text !== '' && text !== 'false') || lost
  const absent = held && request.do === 'release' ? null : missing(instance.value, snapshot)
  if (absent !== null) return absent
  const busy = found.busy.get(key)
  if (busy !== undefined) return { code: 'busy', reason: `${key}: ${busy}; try again when that has ended` }
  const said = (reason: string): Answer => ({
    notes: [{ kind: 'keep', about: key, snapshot, reason } as Note],
  })
  if (request.do === 'hold' && held && !lost) return said(`it is already held: ${text}`)
  if (request.do === 'release' && !held) return said('it is not held')
  if (request.do === 'release' && !record.own.includes(config) && !lost)
    return { code: 'not-ours', reason: `a profile of ${key} holds ${snapshot}: remove ${config} there` }
  const isGoing = undoableOn(record).has(snapshot)
  const mark = { kind: 'mark', ref, snapshot, ...(isGoing ? { going: true as const } : {}) } as const
  const more = isGoing ? ', and its removal is taken back' : ''
  const action: MarkAction =
    request.do === 'hold'
      ? { ...mark, note: noteOf(request.note), expiresAt: null, reason: `held: ${request.reason}${more}` }
      : {
          ...mark,
          note: null,
          expiresAt: ownExpiry(instance.value, snapshot, { coverages, now }),
          reason: `released: ${request.reason}${more}`,
        }
  return { actions: [action] }
}

/** As the value of a hold, these two words mean that it isn't held. */
const noteOf = (note: string): string => (note === '' || note === 'false' ? 'held' : note)
