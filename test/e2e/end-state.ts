/** What there is in the end, on both servers, told by names, marks and the data themselves. */
import type { Stage } from './stage.ts'
import { slotOf, type Timeline } from './timeline.ts'

/** By the snapshot of a slot: the data on the source, and what restoring its copy brings back. */
type Held = Record<string, { source: string | null; restored: string | null }>

export type EndState = Record<string, { held: Held; unverified: string[] }>

export async function readEndState({ pair }: Stage, timeline: Timeline): Promise<EndState> {
  const state: EndState = {}
  for (const { instance, snapshots, copies } of await timeline.view()) {
    const name = instance.split('/').at(-1) ?? ''
    const [copy] = copies
    const held: Held = {}
    const names = new Set([...snapshots.map((snapshot) => snapshot.name), ...(copy?.verified ?? [])])
    for (const snapshot of names) {
      const isCopied = copy?.verified.includes(snapshot) === true
      const slot = slotOf(snapshot)
      // Two of one slot would be one too many.
      held[slot in held ? snapshot : slot] = {
        source: await pair.main.readMarker({ name }, snapshot),
        restored: isCopied ? await pair.restore({ name }, snapshot) : null,
      }
    }
    state[name] = { held, unverified: copy?.unverified ?? ['there is no copy'] }
  }
  return state
}

export function wantedEndState(timeline: Timeline): EndState {
  const held = Object.fromEntries(
    [...timeline.expected()].map(([name, marker]) => [name, { source: marker, restored: marker }]),
  )
  return Object.fromEntries(timeline.instances.map((name) => [name, { held, unverified: [] }]))
}
