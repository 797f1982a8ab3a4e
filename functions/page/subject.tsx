/** One instance: its promises, its snapshots over time, and what the next run does. */

import { count } from '../../shared/chat/words.ts'
import { keepText } from '../../shared/command/commands/policies.ts'
import type { ShownWork } from '../../shared/command/work.ts'
import type { SubjectView } from '../../shared/page/subject.ts'
import type { Slot, Timeline } from '../../shared/page/timeline.ts'
import { type Line, renderLines } from '../../shared/plan/line.ts'
import type { Policy } from '../../shared/policy/policy.ts'
import type { Promised } from '../../shared/promise/judge.ts'
import { placeText, WHAT } from '../../shared/promise/text.ts'
import type { Tone, Trouble } from '../../shared/promise/verdict.ts'
import { Lamp, TONES } from './lamp.tsx'
import { Layout } from './layout.tsx'
import { SlotTable, SnapshotTable } from './snapshot-table.tsx'
import { Table } from './table.tsx'
import { Ago, Moment, percentOf, Spoken, SubjectLink } from './text.tsx'
import { Legend, TimelinePicture } from './timeline.tsx'
import { Troubles } from './troubles.tsx'
import { WorkList } from './work-list.tsx'

export type WorkView = ShownWork & { progress: string | null }

/** What Incus has now; or why it isn't known. */
export type SeenView =
  /** `absent`: its server answers, and doesn't have it. `copies`: those that can be seen. */
  | { state: 'unseen' | 'absent'; reason: string; copies: readonly string[] }
  | {
      state: 'seen'
      view: SubjectView
      timeline: Timeline
      policies: readonly Policy[]
      /** The source that it is a copy of. */
      replicaOf: string | null
      status: string
      lines: readonly Line[]
      next: { at: string; lines: readonly Line[] } | null
    }

type SubjectProps = {
  /** Its key. */
  subject: string
  tone: Tone
  promises: readonly Promised[]
  troubles: readonly Trouble[]
  work: readonly WorkView[]
  slots: readonly Slot[]
  seen: SeenView
  now: Date
}

export function SubjectPage({ subject, tone, promises, troubles, work, slots, seen, now }: SubjectProps) {
  const [remote = '', project = '', name = ''] = subject.split('/')
  return (
    <Layout title={name} signedIn now={now}>
      <nav aria-label="Where this is" class="muted trail">
        <a href="/">Overview</a> / {remote} / {project}
      </nav>
      <section class={`card verdict ${tone}`}>
        <span class="sign" aria-hidden="true">
          {TONES[tone].sign}
        </span>
        <div>
          <h1>{name}</h1>
          <p>{wordOf(tone, promises)}</p>
          {seen.state === 'seen' ? <About seen={seen} /> : null}
        </div>
      </section>
      {seen.state !== 'seen' ? (
        <p class="notice warning" role="status">
          {seen.state === 'unseen' ? 'Incus could not be asked just now' : 'It is not there'}, so this shows
          what the last look has noted: {seen.reason}
          {seen.copies.map((copy) => (
            <>
              . Its copy answers: <SubjectLink at={copy}>{copy}</SubjectLink>
            </>
          ))}
        </p>
      ) : null}
      <Troubles troubles={troubles} here={subject} now={now} />
      <Promises promises={promises} now={now} />
      <WorkList id="work" title="Copies and other long work" work={work} now={now} />
      {seen.state === 'seen' ? <Snapshots seen={seen} now={now} /> : null}
      <Slots slots={slots} now={now} />
      {seen.state === 'seen' ? <Plan seen={seen} subject={subject} now={now} /> : null}
    </Layout>
  )
}

const WORDS: Record<Tone, string> = {
  good: 'It is protected',
  warning: 'It needs a look',
  bad: 'It is not protected as promised',
}

/** The tone is the verdict's; without any promise there is nothing that could be kept. */
function wordOf(tone: Tone, promises: readonly Promised[]): string {
  if (promises.length === 0) return 'Nothing is promised of it.'
  const kept = promises.filter(({ state }) => state === 'kept').length
  return `${WORDS[tone]}: ${kept} of ${count(promises.length, 'promise is', 'promises are')} kept.`
}

type Seen = Extract<SeenView, { state: 'seen' }>

const About = ({ seen: { status, replicaOf, view } }: { seen: Seen }) => (
  <p class="muted">
    {status}
    {replicaOf === null ? null : (
      <>
        , a copy of <SubjectLink at={replicaOf}>{replicaOf}</SubjectLink>
      </>
    )}
    {view.places.slice(1).map(({ key }) => (
      <>
        , copied to <SubjectLink at={key}>{key}</SubjectLink>
      </>
    ))}
  </p>
)

function Promises({ promises, now }: { promises: readonly Promised[]; now: Date }) {
  if (promises.length === 0) return null
  return (
    <section aria-labelledby="promises" class="promises">
      <h2 id="promises">Promises</h2>
      <div class="card scroll">
        <Table heads={['Promise', 'State', 'Until, or since', 'In 30 days', 'Why']}>
          {promises.map((promised) => (
            <tr>
              <th scope="row">
                {WHAT[promised.kind]}
                {promised.target === null ? null : <span class="age">{placeText(promised)}</span>}
              </th>
              <td data-label="State">
                <Lamp promised={promised} now={now} />
              </td>
              <td data-label="Until, or since">
                <Border promised={promised} now={now} />
              </td>
              <td data-label="In 30 days">
                {promised.keptShare === null ? '' : `kept ${percentOf(promised.keptShare)}`}
              </td>
              <td data-label="Why">
                {promised.reason === null ? null : <Spoken text={promised.reason} now={now} />}
              </td>
            </tr>
          ))}
        </Table>
      </div>
    </section>
  )
}

function Border({ promised: { until, since }, now }: { promised: Promised; now: Date }) {
  const at = until ?? since
  if (at === null) return null
  return (
    <>
      {until === null ? 'since ' : 'until '}
      <Moment at={at} />
      <span class="age">
        <Ago at={at} now={now} />
      </span>
    </>
  )
}

const Snapshots = ({ seen, now }: { seen: Seen; now: Date }) => (
  <section aria-labelledby="snapshots">
    <h2 id="snapshots">Snapshots</h2>
    <div class="card">
      {seen.view.places.map(({ key, problem }) =>
        problem === null ? null : (
          <p class="notice warning">
            {key}: {problem}
          </p>
        ),
      )}
      {seen.view.snapshots.length === 0 ? (
        <p>There is none, neither here nor on a copy.</p>
      ) : (
        <>
          {/* A keyboard scrolls it only where it can be focused. */}
          <section class="scroll" tabindex={0} aria-label="Timeline">
            <TimelinePicture timeline={seen.timeline} />
          </section>
          <Legend />
          <SnapshotTable view={seen.view} now={now} />
        </>
      )}
    </div>
    <PolicyList policies={seen.policies} />
  </section>
)

const PolicyList = ({ policies }: { policies: readonly Policy[] }) => (
  <>
    {policies.map(({ name, keep, expiry, copy, paused, schedule, timezone }) => (
      <p class="muted">
        <strong>{name}</strong> {paused ? '(paused) ' : ''}
        takes one at <code>{schedule.join(', ')}</code> {timezone} and keeps{' '}
        {keepText(keep) === '' ? 'all' : keepText(keep)}
        {expiry === null ? '' : `, for ${expiry} at most`}
        {copy === null
          ? '; it copies nothing.'
          : `; it copies to ${copy.remote}${copy.expiry === null ? '' : `, where each stays for ${copy.expiry}`}.`}
      </p>
    ))}
  </>
)

const Slots = ({ slots, now }: { slots: readonly Slot[]; now: Date }) =>
  slots.length === 0 ? null : (
    <section aria-labelledby="slots">
      <h2 id="slots">Slots</h2>
      <div class="card scroll">
        <SlotTable slots={slots} now={now} />
      </div>
    </section>
  )

type PlanProps = { seen: Seen; subject: string; now: Date }

const Plan = ({ seen: { lines, next, policies }, subject, now }: PlanProps) => (
  <section aria-labelledby="plan">
    <h2 id="plan">What a run does</h2>
    <div class="card">
      <h3>Now</h3>
      <PlanText lines={lines} />
      {next === null ? null : (
        <>
          <h3>
            At the next slot, <Ago at={next.at} now={now} />, if nothing else changes
          </h3>
          <PlanText lines={next.lines} />
        </>
      )}
      {policies.length === 0 ? null : (
        <p>
          <a href={`/simulate?${new URLSearchParams({ policy: policies[0]?.name ?? '', subject })}`}>
            Simulate the next year, or a change
          </a>
        </p>
      )}
    </div>
  </section>
)

/** What is only kept stands in the table. */
const PlanText = ({ lines }: { lines: readonly Line[] }) => (
  <pre class="plan">{renderLines(lines.filter(({ sign }) => sign !== '='))}</pre>
)
