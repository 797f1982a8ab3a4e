/**
 * The most that one remote may list. Beyond it the remote is unknown, with the reason: a server that is broken
 * or hostile must not take the memory or the time of the others. Real servers stay far below.
 */
export const MOST = {
  instances: 25_000,
  /** Of one instance: the relay takes no job with more steps than that. */
  snapshots: 20_000,
  projects: 10_000,
  operations: 10_000,
  /** That instances have their root disks in. */
  pools: 200,
  /** Instances that are left out and named. */
  named: 10,
}

/** Milliseconds for all that is read of a remote; the Worker waits for two minutes. */
export const LOOK = 90_000

/** Milliseconds to look for an operation to adopt, before the inventory: with it they still fit the Worker's wait. */
export const ADOPT = 15_000
