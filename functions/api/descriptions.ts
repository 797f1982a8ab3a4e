/** What each key of a request means, for openapi.json alone: not for the Worker, which would only carry it. */
import '../../shared/policy/descriptions.ts'
import { describe } from '../../shared/policy/describe.ts'
import { asking, planning, preview, taken } from './requests.ts'

const MOMENT = { format: 'date-time' }

describe(asking.shape, {
  do: {
    description: 'Absent: a snapshot where policies or instances are named, else what the schedule says',
  },
  policies: { description: 'By name; for a snapshot, one for each of them' },
  instances: { description: 'Globs over instance, project/instance or remote/project/instance' },
  snapshots: { description: 'Of expire: globs over snapshots; absent: what retention no longer keeps' },
  instance: { description: 'Of restore, hold and release: a path without wildcards' },
  snapshot: { description: 'Of restore, hold and release' },
  stateful: { description: 'Of restore: with the memory that the snapshot of a virtual machine holds' },
  note: { description: 'Of hold: why' },
  confirm: { description: 'Of restore and expire: the digest of the plan that is to be performed' },
})

const { document } = planning.shape
describe(
  { document },
  { document: { description: 'A stapes.jsonc to plan by instead of the applied one; it is not applied' } },
)

describe(taken.shape, { name: {}, takenAt: { ...MOMENT, description: 'Stands for the slot' }, held: {} })

describe(preview.shape, {
  keep: {},
  timezone: { description: 'IANA zone of the buckets' },
  now: { ...MOMENT, description: 'Later snapshots are kept and not counted; absent: the present' },
  snapshots: {},
})
