/**
 * A member of a map whose keys are foreign (policies, remotes, pools, snapshots by their names): there
 * `constructor` is a name like others, and not what every object has.
 */
export const own = <Value>(
  map: Readonly<Record<string, Value>> | undefined,
  key: string,
): Value | undefined => (map !== undefined && Object.hasOwn(map, key) ? map[key] : undefined)
