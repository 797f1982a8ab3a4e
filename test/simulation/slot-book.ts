/** How each slot ended, gathered from the ledger as its records appear: it keeps only the newest of them. */
import type { Ledger, SlotOutcome } from '../../shared/ledger/ledger.ts'

export type Ending = {
  outcome: SlotOutcome
  reason: string
  /** Of the ledger it stood in: each loss begins another. */
  ledger: number
}

/** The slots that a policy has in (from, to], said by the test and not by the product. */
export type Calendar = Record<string, readonly Date[]>

export type SlotBook = {
  /** Throws when one ledger tells of a slot twice, or of one that the calendar lacks. */
  read(text: string | null, now: number): void
  ending(policy: string, slot: Date): Ending | undefined
  /** How often the ending of a slot became another one, for those that did. */
  changes(): { policy: string; slot: string; from: Ending; to: Ending }[]
  /** Slots that are being served, and may end later. */
  open(): { policy: string; slot: string }[]
  /** Whether nothing that happened at some time between two instants could be told. */
  wasAbsent(from: number, until: number): boolean
  /** How many tries to make this snapshot (`main/default/web`, name) ended unseen, as far as it was told. */
  unseen(instance: string, name: string): number
  /** The same of all snapshots that were meant for one slot. */
  unseenOf(instance: string, policy: string, slot: string): number
}

export function createSlotBook(calendar: Calendar): SlotBook {
  const endings = new Map<string, Ending>()
  const changes: ReturnType<SlotBook['changes']> = []
  let ledger: Ledger | null = null
  let seen: string | null = null
  let changed = 0
  const unseen = new Map<string, Set<string>>()
  const absences: { from: number; until: number }[] = []
  const note = (policy: string, slot: string, ending: Ending) => {
    const key = `${policy} ${slot}`
    const before = endings.get(key)
    if (before !== undefined && before.outcome !== ending.outcome)
      changes.push({ policy, slot, from: before, to: ending })
    endings.set(key, ending)
  }
  return {
    read(text, now) {
      if (text === seen) return
      // What it would have said since it was written last is lost with it.
      if (text === null) absences.push({ from: changed, until: Number.POSITIVE_INFINITY })
      else if (seen === null) Object.assign(absences.at(-1) ?? {}, { until: now })
      seen = text
      changed = now
      ledger = text === null ? null : (JSON.parse(text) as Ledger)
      for (const [policy, { slots, open, partial = [] }] of Object.entries(ledger?.policies ?? {})) {
        for (const [instance, attempt] of Object.entries(open?.attempts ?? {}))
          if (attempt.unseen === true && open !== null) {
            const { name = nameOf(policy, open.slot) } = attempt
            for (const key of [
              `${instance}/${name}`,
              `${instance} ${policy} ${slotOf(calendar, policy, open.slot)}`,
            ])
              unseen.set(key, (unseen.get(key) ?? new Set()).add(`${absences.length} ${attempt.count}`))
          }
        // The relay tells of tries that the ledger has lost.
        for (const entry of partial) {
          const at = entry.lastIndexOf('/')
          const slot = slotIn(policy, entry.slice(at + 1))
          const meant = `${entry.slice(0, at)} ${policy} ${slotOf(calendar, policy, slot)}`
          for (const key of [entry, meant]) if (!unseen.has(key)) unseen.set(key, new Set(['doubted']))
        }
        const told = new Set<string>()
        for (const { slot, through = slot, count = 1, outcome, reason = '' } of slots) {
          const covered = through === slot ? [slot] : slotsWithin(calendar[policy] ?? [], slot, through)
          if (covered.length !== count)
            throw new Error(`${policy} tells of ${count} slots from ${slot} to ${through}: ${covered.length}`)
          for (const one of covered) {
            if (told.has(one)) throw new Error(`${policy} tells of ${one} twice`)
            told.add(one)
            note(policy, one, { outcome, reason, ledger: absences.length })
          }
        }
      }
    },
    ending: (policy, slot) => endings.get(`${policy} ${slot.toISOString()}`),
    changes: () => changes,
    open: () =>
      Object.entries(ledger?.policies ?? {}).flatMap(([policy, { open }]) =>
        open === null ? [] : [{ policy, slot: open.slot }],
      ),
    unseen: (instance, name) => unseen.get(`${instance}/${name}`)?.size ?? 0,
    unseenOf: (instance, policy, slot) => unseen.get(`${instance} ${policy} ${slot}`)?.size ?? 0,
    wasAbsent: (from, until) => absences.some((one) => one.from <= until && one.until >= from),
  }
}

/** Said a second time, apart from the product: the slot in UTC, to the minute. */
const nameOf = (policy: string, slot: string): string =>
  `${policy}-${slot.slice(0, 16).replace(/[-:]/g, '')}Z`

/** The minute in such a name. */
const slotIn = (policy: string, name: string): string =>
  name.slice(policy.length + 1).replace(/^(....)(..)(..)T(..)(..)Z$/, '$1-$2-$3T$4:$5:00.000Z')

/** The slot in whose period a moment lies: what was taken late is its. The moment itself, before all slots. */
export function slotOf(calendar: Calendar, policy: string, moment: string): string {
  const slots = calendar[policy] ?? []
  const at = Date.parse(moment)
  let [low, high] = [0, slots.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (Number(slots[middle]) <= at) low = middle + 1
    else high = middle
  }
  return slots[low - 1]?.toISOString() ?? moment
}

const slotsWithin = (calendar: readonly Date[], from: string, through: string): string[] =>
  calendar.map((slot) => slot.toISOString()).filter((slot) => slot >= from && slot <= through)
