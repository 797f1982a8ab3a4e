/** Gives the keys of an object the words by which a generator of schemas calls them. */
import * as z from 'zod/mini'

/** A key without words doesn't compile. */
export function describe<Key extends string>(
  shape: Record<Key, z.ZodMiniType>,
  words: Record<Key, z.core.GlobalMeta>,
): void {
  for (const key in shape) z.globalRegistry.add(shape[key], words[key])
}
