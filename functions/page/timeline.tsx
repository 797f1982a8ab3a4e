/** The timeline as a picture without scripts; the table beside it says the same. */

import type { Child } from 'hono/jsx'
import { remoteOf } from '../../shared/incus/subject.ts'
import type { Mark, SlotMark, Timeline } from '../../shared/page/timeline.ts'

const WIDTH = 860
const LEFT = 150
const RIGHT = 20
const LANE = 44
const TOP = 26

const xOf = (x: number): number => Math.round((LEFT + x * (WIDTH - LEFT - RIGHT)) * 10) / 10

export function TimelinePicture({ timeline }: { timeline: Timeline }) {
  const { lanes, slots, ticks, now, summary } = timeline
  const height = TOP + (lanes.length + 1) * LANE + 8
  return (
    <svg
      class="picture"
      viewBox={`0 0 ${WIDTH} ${height}`}
      role="img"
      aria-labelledby="picture-title picture-text"
    >
      <title id="picture-title">Snapshots over time</title>
      <desc id="picture-text">{summary}</desc>
      {ticks.map(({ x, label }) => (
        <>
          <line class="lane" x1={xOf(x)} x2={xOf(x)} y1={TOP} y2={height - 8} />
          <text x={xOf(x)} y={TOP - 10} text-anchor="middle">
            {label}
          </text>
        </>
      ))}
      {lanes.map(({ key, marks }, index) => (
        <>
          <LaneLine label={shortOf(key)} y={laneY(index)} />
          {marks.map((mark) => (
            <SnapshotMark mark={mark} y={laneY(index)} />
          ))}
        </>
      ))}
      <LaneLine label="slots" y={laneY(lanes.length)} />
      {slots.map((slot) => (
        <SlotLine slot={slot} y={laneY(lanes.length)} />
      ))}
      <line class="now" x1={xOf(now)} x2={xOf(now)} y1={TOP} y2={height - 8} />
      <text x={xOf(now)} y={TOP - 10} text-anchor="middle">
        now
      </text>
    </svg>
  )
}

const laneY = (index: number): number => TOP + index * LANE + LANE / 2

/** The remote alone: the whole key is in the table. */
const shortOf = (key: string): string => {
  const remote = remoteOf(key)
  return remote.length <= 18 ? remote : `${remote.slice(0, 17)}…`
}

const LaneLine = ({ label, y }: { label: string; y: number }) => (
  <>
    <text x="0" y={y + 4}>
      {label}
    </text>
    <line class="lane" x1={LEFT - 10} x2={WIDTH - RIGHT + 10} y1={y} y2={y} />
  </>
)

const CLASSES: Record<Mark['presence'], string> = {
  there: 'snapshot',
  partial: 'snapshot strange',
  verified: 'snapshot verified',
  unverified: 'snapshot unverified',
}

function SnapshotMark({ mark, y }: { mark: Mark; y: number }) {
  const x = xOf(mark.x)
  return (
    <g>
      <title>{mark.label}</title>
      <circle class={CLASSES[mark.presence]} cx={x} cy={y} r="6" />
      {mark.held ? <circle class="held" cx={x} cy={y} r="10" /> : null}
      {mark.going ? <path class="going" d={`M${x - 8} ${y - 8}l16 16m0-16l-16 16`} /> : null}
    </g>
  )
}

function SlotLine({ slot, y }: { slot: SlotMark; y: number }) {
  const x = xOf(slot.x)
  const reach = slot.state === 'ahead' ? 5 : 9
  return (
    <g>
      <title>{slot.label}</title>
      <line class={slot.state === 'bad' ? 'slot bad' : 'slot'} x1={x} x2={x} y1={y - reach} y2={y + reach} />
    </g>
  )
}

const Sign = ({ children }: { children: Child }) => (
  <svg class="picture" viewBox="0 0 24 24" width="18" height="18" aria-hidden="true">
    {children}
  </svg>
)

export const Legend = () => (
  <ul class="legend">
    <li>
      <Sign>
        <circle class="snapshot" cx="12" cy="12" r="7" />
      </Sign>
      snapshot
    </li>
    <li>
      <Sign>
        <circle class="snapshot verified" cx="12" cy="12" r="7" />
      </Sign>
      verified copy
    </li>
    <li>
      <Sign>
        <circle class="snapshot unverified" cx="12" cy="12" r="7" />
      </Sign>
      not verified
    </li>
    <li>
      <Sign>
        <circle class="held" cx="12" cy="12" r="9" />
      </Sign>
      held
    </li>
    <li>
      <Sign>
        <path class="going" d="M4 4l16 16m0-16l-16 16" />
      </Sign>
      goes with the next slot
    </li>
    <li>
      <Sign>
        <line class="slot bad" x1="12" x2="12" y1="3" y2="21" />
      </Sign>
      slot missed or failed
    </li>
  </ul>
)
