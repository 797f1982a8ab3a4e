/**
 * A member of a map whose keys are foreign (policies, remotes, pools, snapshots by their names): there
 * `constructor` is a name like others, and not what every object has.
 */
export const own = <Value>(
  map: Readonly<Record<string, Value>> | undefined,
  key: string,
): Value | undefined => (map !== undefined && Object.hasOwn(map, key) ? map[key] : undefined)

/** The last one wins. Assignment would take `__proto__` for something else than a name. */
export const merged = <Value>(
  ...maps: readonly (Readonly<Record<string, Value>> | undefined)[]
): Record<string, Value> => Object.fromEntries(maps.flatMap((map) => Object.entries(map ?? {})))
