/** Copies onto one remote go in so many lanes, first in, first out. */
type Leave = () => void

export type Lanes = {
  /** Resolves when it is this one's turn. */
  enter(remote: string): Promise<Leave>
  /** For what runs already, whether or not there is room. */
  join(remote: string): Leave
}

export function createLanes(width: (remote: string) => number): Lanes {
  const busy = new Map<string, number>()
  const queues = new Map<string, (() => void)[]>()
  const count = (remote: string, change: number) => busy.set(remote, (busy.get(remote) ?? 0) + change)

  const join = (remote: string): Leave => {
    count(remote, 1)
    return () => {
      count(remote, -1)
      admit(remote)
    }
  }
  const admit = (remote: string): void => {
    const queue = queues.get(remote) ?? []
    while (queue.length > 0 && (busy.get(remote) ?? 0) < width(remote)) queue.shift()?.()
    if (queue.length === 0) queues.delete(remote)
  }
  const enter = (remote: string): Promise<Leave> =>
    new Promise((resolve) => {
      const queue = queues.get(remote) ?? []
      queue.push(() => resolve(join(remote)))
      queues.set(remote, queue)
      admit(remote)
    })
  return { enter, join }
}
