/** A hold set on a snapshot, or released: a mark on its instance, and Incus's own expiry with it. */
import { HOLD } from '../policy/marks.ts'
import type { Ask } from './ask.ts'
import type { Answer, Asked } from './asking.ts'
import { findInstance, missing } from './find.ts'
import { ownExpiry } from './own-expiry.ts'
import type { MarkAction, Note, Plan, Refusal } from './plan.ts'

type Wish = Extract<Ask, { do: 'hold' | 'release' }>

export function askHold(asked: Asked<Wish>): Answer | Refusal {
  const { ask, world, restores } = asked
  const found = findInstance(world, ask.instance)
  if (!found.ok) return found.error
  const { key, ref, record } = found.value
  const { snapshot } = ask
  const config = `${HOLD}${snapshot}`
  const text = record.config[config] ?? ''
  const lost = restores.held.get(key)?.has(snapshot) === true
  const held = (text !== '' && text !== 'false') || lost
  const absent = held && ask.do === 'release' ? null : missing(found.value, snapshot)
  if (absent !== null) return absent
  const busy = restores.withheld.get(key)
  if (busy !== undefined) return { code: 'busy', reason: `${key}: ${busy}; try again when that has ended` }
  const said = (reason: string): Answer => ({
    notes: [{ kind: 'keep', about: key, snapshot, reason } as Note],
  })
  if (ask.do === 'hold' && held && !lost) return said(`it is held already: ${text}`)
  if (ask.do === 'release' && !held) return said('it is not held')
  if (ask.do === 'release' && !record.own.includes(config) && !lost)
    return { code: 'not-ours', reason: `a profile of ${key} holds ${snapshot}: remove ${config} there` }
  const mark = { kind: 'mark', ref, snapshot } as const
  const action: MarkAction =
    ask.do === 'hold'
      ? { ...mark, note: noteOf(ask.note), expiresAt: null, reason: `held: ${ask.reason}` }
      : {
          ...mark,
          note: null,
          expiresAt: ownExpiry(found.value, snapshot, asked),
          reason: `released: ${ask.reason}`,
        }
  return lost ? { actions: [action], restores: forgotten(key, config, asked) } : { actions: [action] }
}

/** Its hold stands on the instance again, or is no longer wanted: the restore that lost it need not remember it. */
function forgotten(key: string, config: string, { restores }: Asked<Wish>): Plan['restores'] {
  const entry = restores.ledgers[key]
  if (entry === undefined) return {}
  return {
    [key]: {
      ...entry,
      holds: Object.fromEntries(Object.entries(entry.holds).filter(([one]) => one !== config)),
    },
  }
}

/** These two words would mean that it isn't held. */
const noteOf = (note: string): string => (note === '' || note === 'false' ? 'held' : note)
