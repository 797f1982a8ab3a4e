/** The picture in words: each snapshot with where it is and what becomes of it, and the slots. */
import { remoteOf } from '../../shared/incus/subject.ts'
import type { Presence, SnapshotView, SubjectView } from '../../shared/page/subject.ts'
import type { Slot } from '../../shared/page/timeline.ts'
import { Table } from './table.tsx'
import { Ago, Moment } from './text.tsx'

/** Rows; there may be thousands. */
const MOST = 200

export function SnapshotTable({ view: { snapshots }, now }: { view: SubjectView; now: Date }) {
  const more = snapshots.length - MOST
  return (
    <>
      <div class="scroll">
        <Table heads={['Snapshot', 'Taken', 'Where', 'Stays because', 'Goes']}>
          {snapshots.slice(0, MOST).map((snapshot) => (
            <Row snapshot={snapshot} now={now} />
          ))}
        </Table>
      </div>
      {more > 0 ? <p class="muted">{`And ${more} older ones, which Incus itself lists.`}</p> : null}
    </>
  )
}

const WHERE: Record<Presence, string> = {
  there: '',
  partial: ', may be partial',
  verified: ', verified',
  unverified: ', not verified',
}

const WHEN = { now: 'with a run now, ', next: 'with the next slot, ', later: '' } as const

const Row = ({ snapshot, now }: { snapshot: SnapshotView; now: Date }) => (
  <tr>
    <th scope="row">
      <code>{snapshot.name}</code>
      <span class="age">{snapshot.owner}</span>
    </th>
    <td data-label="Taken">
      <Ago at={snapshot.at} now={now} />
      <span class="age">
        <Moment at={snapshot.at} />
      </span>
    </td>
    <td data-label="Where">
      {[...snapshot.presence].map(([place, presence]) => (
        <span class="line">{`${remoteOf(place)}${WHERE[presence]}`}</span>
      ))}
    </td>
    <td data-label="Stays because">
      {snapshot.held ? <strong class="line">held</strong> : null}
      {snapshot.reasons
        .filter((reason) => !snapshot.held || reason !== 'held')
        .map((reason) => (
          <span class="line">{reason}</span>
        ))}
    </td>
    <td data-label="Goes">
      {snapshot.going.map(({ place, when, at, reason }) => (
        <span class="line">
          {WHEN[when]}
          <Moment at={at} />
          <span class="age">{`${remoteOf(place)}: ${reason}`}</span>
        </span>
      ))}
    </td>
  </tr>
)

/** The newest behind and all ahead. */
const BEHIND = 10

const STATES: Record<Slot['state'], string> = {
  served: '✓ served',
  bad: '✕ not served',
  skipped: 'skipped',
  ahead: 'to come',
}

export function SlotTable({ slots, now }: { slots: readonly Slot[]; now: Date }) {
  const behind = slots.filter(({ state }) => state !== 'ahead')
  const shown = [...behind.slice(-BEHIND), ...slots.filter(({ state }) => state === 'ahead')]
  return (
    <Table heads={['Slot', 'Policy', 'State', 'Why']}>
      {shown.reverse().map(({ at, policy, state, reason }) => (
        <tr>
          <th scope="row">
            <Moment at={at} />
            <span class="age">
              <Ago at={at} now={now} />
            </span>
          </th>
          <td data-label="Policy">{policy}</td>
          <td data-label="State">{STATES[state]}</td>
          <td data-label="Why">{state === 'ahead' || reason === 'served' ? '' : reason}</td>
        </tr>
      ))}
    </Table>
  )
}
