/** Removes the exports that their policies no longer keep. */
import { subjectKey } from '../../incus/subject.ts'
import type { Kind } from '../kind.ts'
import type { ExpireExportAction } from './action.ts'
import { thinningEssence } from './digest.ts'
import { expireExportLine } from './lines.ts'
import { addLook, lookJobs } from './look.ts'
import { allowThinning, planThinning } from './schedule.ts'
import { thinningJobs } from './steps.ts'

export const thinning: Kind<ExpireExportAction, never> = {
  name: 'thinning',
  verbs: {
    'expire-export': {
      subject: ({ ref }) => subjectKey(ref),
      about: ({ ref, store, name }) => `${subjectKey(ref)}>${store} ${name}`,
      line: expireExportLine,
      essence: thinningEssence,
      destroys: () => true,
      listed: 'exportsRemoved',
    },
  },
  tallies: [{ sign: '-', name: 'export', will: 'removes', did: 'removed', one: 'export' }],
  look: { jobs: lookJobs, add: addLook },
  schedule: { stage: 'remove', plan: planThinning },
  allow: allowThinning,
  send: { prepare: (actions) => ({ jobs: thinningJobs(actions), outcomes: [], notes: [] }) },
}
