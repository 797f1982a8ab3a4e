/** The policies: when each is due, and how its last slot ended. */
import type { SlotRecord } from '../../shared/ledger/ledger.ts'
import { reasonOf } from '../../shared/ledger/slots.ts'
import { Table } from './table.tsx'
import { Ago, Moment } from './text.tsx'

export type PolicyView = {
  schedule: string[]
  timezone: string
  paused: boolean
  nextSlot: string | null
  open: string | null
  slots: SlotRecord[]
}

export function Policies({ policies, now }: { policies: Record<string, PolicyView>; now: Date }) {
  const all = Object.entries(policies)
  if (all.length === 0) return null
  return (
    <section aria-labelledby="policies">
      <h2 id="policies">Policies</h2>
      <div class="card scroll">
        <Table heads={['Policy', 'Schedule', 'Next slot', 'Last slot']}>
          {all.map(([name, policy]) => (
            <tr>
              <th scope="row">{name}</th>
              <td data-label="Schedule">
                {policy.schedule.map((one) => (
                  <>
                    <code>{one}</code>{' '}
                  </>
                ))}
                <span class="age">{policy.timezone}</span>
              </td>
              <td data-label="Next slot">
                <Next policy={policy} now={now} />
              </td>
              <td data-label="Last slot">
                <Last slot={policy.slots[0]} />
              </td>
            </tr>
          ))}
        </Table>
      </div>
    </section>
  )
}

function Next({ policy, now }: { policy: PolicyView; now: Date }) {
  if (policy.paused) return <>paused</>
  if (policy.open !== null)
    return (
      <>
        <Moment at={policy.open} />
        <span class="age">being served</span>
      </>
    )
  if (policy.nextSlot === null) return <>never again</>
  return (
    <>
      <Ago at={policy.nextSlot} now={now} />
      <span class="age">
        <Moment at={policy.nextSlot} />
      </span>
    </>
  )
}

function Last({ slot }: { slot: SlotRecord | undefined }) {
  if (slot === undefined) return <span class="muted">none yet</span>
  const why = reasonOf(slot)
  return (
    <>
      {slot.outcome}
      {why === undefined ? null : `: ${why}`}
      <span class="age">
        <Moment at={slot.through ?? slot.slot} />
      </span>
    </>
  )
}
