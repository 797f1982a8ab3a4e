/** Tries to make a snapshot of which nobody saw the end. */
import { snapshotName } from '../incus/snapshot-name.ts'
import type { OpenSlot } from './ledger.ts'

/** What a slot's tries have left unseen, as `instance key/snapshot`. */
export const unseenIn = (policy: string, open: OpenSlot | null): string[] =>
  open === null
    ? []
    : Object.entries(open.attempts).flatMap(([key, { unseen, name }]) =>
        unseen === true ? [`${key}/${name ?? snapshotName({ policy, slot: new Date(open.slot) })}`] : [],
      )
