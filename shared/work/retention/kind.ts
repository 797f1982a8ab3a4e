/** Expires snapshots that retention no longer keeps, and those that a request names. */
import { subjectKey } from '../../incus/subject.ts'
import type { Kind } from '../kind.ts'
import type { ExpireAction } from './action.ts'
import { expireLine } from './lines.ts'
import { allowExpiries, type ExpireRequest, requestExpiry } from './request.ts'
import { planRetention } from './schedule.ts'
import { simulateExpiry } from './simulate.ts'
import { expireSteps } from './steps.ts'

export const retention: Kind<ExpireAction, ExpireRequest> = {
  name: 'retention',
  verbs: {
    expire: {
      subject: ({ ref }) => subjectKey(ref),
      line: expireLine,
      steps: expireSteps,
      destroys: () => true,
      simulate: simulateExpiry,
      counts: { name: 'expired', did: 'expired' },
    },
  },
  tallies: [{ sign: '-', will: 'expires', did: 'expired', one: 'snapshot' }],
  schedule: { stage: 'remove', plan: planRetention },
  requests: { expire: requestExpiry },
  allow: allowExpiries,
}
