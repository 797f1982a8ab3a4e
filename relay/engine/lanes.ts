/** Bounds how many copies run onto one remote at once; the others queue, first in, first out. */
type Leave = () => void

export type Lanes = {
  /** Resolves when it is this one's turn. */
  enter(remote: string): Promise<Leave>
  /** For an operation that runs already, though all lanes may be taken. */
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
