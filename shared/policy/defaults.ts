/** The built-in defaults, in the form of the document. */

/** Incus has no word for it (it leaves the key out), but a policy must be able to undo a default. */
export const NEVER = 'never'

/** A rotation takes one at each slot; after failures a few. A changed `keep` takes many. */
export const DEFAULT_BRAKE = { share: 0.5, number: 10 }

/** Seconds for which an instance may stand still. The relay lets nothing stand still for longer. */
export const LONGEST_PAUSE = 300

export const DEFAULTS = {
  select: {
    // As everywhere in Incus, no project means the project `default`.
    projects: ['default'],
    instances: ['*'],
    types: ['container' as const, 'virtual-machine' as const],
    volumes: [],
    buckets: [],
    running: false,
    config: {},
    exclude: [],
  },
  timezone: 'UTC',
  jitter: '0s',
  catchup: '1d',
  paused: false,
  stateful: false,
  together: { pause: '30s', otherwise: 'fail' as const },
  keep: {},
  grace: '0s',
  expiry: NEVER,
  manual: { expiry: '30d' },
  copy: {
    transferMode: 'pull' as const,
    allow: 'inconsistent' as const,
    keep: {},
    expiry: NEVER,
    mirror: false,
  },
  export: { schedule: '@daily', optimized: false, check: '30d', keep: {} },
  approval: 'self' as const,
  brake: {},
  ping: { slug: false, every: '5m' },
}
