/** Timers in the order in which they are due; equal times keep the order in which they were set. */
type Timer = { at: number; turn: number; run: () => void; off: boolean }

const before = (a: Timer, b: Timer): boolean => a.at < b.at || (a.at === b.at && a.turn < b.turn)

export class Timers {
  #heap: Timer[] = []
  #turn = 0

  set(at: number, run: () => void): () => void {
    const timer: Timer = { at, turn: this.#turn++, run, off: false }
    this.#heap.push(timer)
    this.#up(this.#heap.length - 1)
    return () => {
      timer.off = true
    }
  }

  /** When the next one is due, or null. */
  next(): number | null {
    while (this.#heap[0]?.off === true) this.#pop()
    return this.#heap[0]?.at ?? null
  }

  /** The first of those due at `now`, taken out. */
  takeDue(now: number): (() => void) | null {
    const next = this.next()
    return next === null || next > now ? null : (this.#pop()?.run ?? null)
  }

  #pop(): Timer | undefined {
    const first = this.#heap[0]
    const last = this.#heap.pop()
    if (last !== undefined && last !== first) {
      this.#heap[0] = last
      this.#down(0)
    }
    return first
  }

  #up(start: number): void {
    let at = start
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!this.#swapIfBefore(at, parent)) return
      at = parent
    }
  }

  #down(start: number): void {
    let at = start
    for (;;) {
      const left = 2 * at + 1
      const child = this.#isBefore(left + 1, left) ? left + 1 : left
      if (!this.#swapIfBefore(child, at)) return
      at = child
    }
  }

  #isBefore(a: number, b: number): boolean {
    const [one, other] = [this.#heap[a], this.#heap[b]]
    return one !== undefined && other !== undefined && before(one, other)
  }

  #swapIfBefore(a: number, b: number): boolean {
    const [one, other] = [this.#heap[a], this.#heap[b]]
    if (one === undefined || other === undefined || !before(one, other)) return false
    this.#heap[a] = other
    this.#heap[b] = one
    return true
  }
}
