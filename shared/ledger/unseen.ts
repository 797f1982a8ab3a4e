/** Tries to make a snapshot whose outcome is unknown. */
import { snapshotName } from '../incus/snapshot-name.ts'
import type { OpenSlot } from './ledger.ts'

/** Those of a slot, as `instance key/snapshot`. */
export const unknownIn = (policy: string, open: OpenSlot | null): string[] =>
  open === null
    ? []
    : Object.entries(open.attempts).flatMap(([key, { unseen, name }]) =>
        unseen === true ? [`${key}/${name ?? snapshotName({ policy, slot: new Date(open.slot) })}`] : [],
      )
