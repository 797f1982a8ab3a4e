/** A restore as it is requested first: the instance is stopped, and nothing is held. */
import type { RestoreStep } from '../../shared/relay/steps.ts'

export const restoreStep = (
  given: Pick<RestoreStep, 'ref' | 'snapshot'> & Partial<RestoreStep>,
): RestoreStep => ({
  do: 'restore',
  safety: { name: 'before-restore-20261122T0600Z', expiresAt: null, taken: false },
  partial: null,
  restored: false,
  running: false,
  stateful: false,
  holds: {},
  held: [],
  expiresAt: null,
  ...given,
})
