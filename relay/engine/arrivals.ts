/**
 * Which transfer onto a copy has ended well last, as this relay saw it: only what came with that one can be
 * marked as verified.
 */
export type Arrivals = {
  /** Ids can repeat: of what came with an earlier transfer of the same id nothing is known any more. */
  begins(target: string): void
  /** `target`: key of the copy; `transfer`: its id, as in the copy's mark. */
  note(target: string, transfer: string): void
  /**
   * The same of one that an earlier relay began, by the caller's word. Once this relay has begun one there itself, an operation
   * may be of that, and says nothing of what another has brought.
   */
  adopt(target: string, transfer: string): void
  has(target: string, transfer: string): boolean
}

export function createArrivals(): Arrivals {
  const last = new Map<string, string>()
  const begun = new Set<string>()
  return {
    begins(target) {
      begun.add(target)
      last.delete(target)
    },
    note: (target, transfer) => void last.set(target, transfer),
    adopt(target, transfer) {
      if (!begun.has(target)) last.set(target, transfer)
    },
    has: (target, transfer) => last.get(target) === transfer,
  }
}
