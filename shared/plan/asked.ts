/** What somebody asks for, apart from the schedule: nothing else is done in such a run. */

import { instanceKey } from '../incus/inventory.ts'
import type { Covered } from '../policy/cover.ts'
import type { Approval } from '../policy/policy.ts'
import { type Ask, narrow } from './ask.ts'
import { askCopy } from './ask-copy.ts'
import { askExpire } from './ask-expire.ts'
import { askHold } from './ask-hold.ts'
import { askRestore } from './ask-restore.ts'
import { askSnapshot } from './ask-snapshot.ts'
import type { Answer, Asked } from './asking.ts'
import type { Action, Note, Plan, Refusal } from './plan.ts'

export function decideAsked(asked: Asked<Exclude<Ask, { do: 'look' }>>): Plan {
  const { ledger, now } = asked
  const answer = answerOf(asked)
  const refusal = 'code' in answer ? answer : null
  const parts: Answer = 'code' in answer ? {} : answer
  const actions = parts.actions ?? []
  return {
    at: now.toISOString(),
    actions,
    notes: [...(refusal === null ? unseen(asked) : []), ...(parts.notes ?? [])],
    slots: parts.slots ?? [],
    copies: parts.copies ?? [],
    restores: { ...ledger.restores, ...parts.restores },
    frozen: ledger.frozen ?? {},
    wake: parts.wake ?? [],
    asked: true,
    refusal,
    approval: approvalOf(actions, asked),
  }
}

function answerOf(asked: Asked<Exclude<Ask, { do: 'look' }>>): Answer | Refusal {
  const { ask } = asked
  switch (ask.do) {
    case 'snapshot':
      return askSnapshot({ ...asked, ask })
    case 'copy':
      return askCopy({ ...asked, ask })
    case 'expire':
      return askExpire({ ...asked, ask })
    case 'restore':
      return askRestore({ ...asked, ask })
    case 'hold':
    case 'release':
      return askHold({ ...asked, ask })
  }
}

/** Of all that a policy covers nothing may be found for nobody could look; who names instances is told by refusals. */
function unseen({ ask, coverages }: Asked): Note[] {
  if (ask.do !== 'copy' && ask.do !== 'expire') return []
  if (ask.instances !== undefined) return []
  return narrow(coverages, ask).flatMap(({ unreadable }) =>
    unreadable.map(({ key, reason }): Note => ({ kind: 'problem', about: key, reason })),
  )
}

/** The strictest policy that covers anything of which state is lost. */
function approvalOf(actions: readonly Action[], { coverages }: Asked): Approval {
  const touched = new Set(
    actions.flatMap((action) =>
      action.kind === 'restore' || action.kind === 'expire' ? [instanceKey(action.ref)] : [],
    ),
  )
  const strict = ({ key, policy }: Covered) => policy.approval === 'second' && touched.has(key)
  return coverages.some(({ covered }) => covered.some(strict)) ? 'second' : 'self'
}
