/** Proofs that invariants bite: the scenes violate nothing, and each does violate its own once one piece of the product is broken. */
import { describe, expect, test } from 'vitest'

export type Variant<Name extends string> = { how: string; violates: Name; scene: () => Promise<void> }

/** `broken`: what the replaced modules go by; null: nothing is. */
export function proveThatTheyBite<Name extends string>(
  variants: readonly Variant<Name>[],
  broken: { how: string | null },
): void {
  describe('with nothing broken', () => {
    const scenes = new Map(variants.map(({ scene }) => [scene.name, scene]))
    test.each([...scenes])('%s violates nothing', async (_name, scene) => {
      broken.how = null
      await expect(scene()).resolves.toBeUndefined()
    })
  })

  describe('with one piece broken', () => {
    test.each(variants)('$how: $violates says so', async ({ how, violates, scene }) => {
      broken.how = how
      await expect(scene()).rejects.toMatchObject({ invariant: violates })
    })
  })
}
