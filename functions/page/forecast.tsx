/** What a simulation has shown, by instance. */

import { count } from '../../shared/chat/words.ts'
import { renderLines } from '../../shared/plan/line.ts'
import { differenceOf } from '../../shared/simulate/difference.ts'
import type { Forecast, SubjectForecast } from '../../shared/simulate/forecast.ts'
import type { Counts, Removal } from '../../shared/simulate/removals.ts'
import { WHEN } from '../../shared/simulate/text.ts'
import { Table } from './table.tsx'
import { Moment, Spoken, SubjectLink } from './text.tsx'

type ForecastProps = {
  forecast: Forecast
  current: Forecast | null
  warnings: readonly string[]
  isApplied: boolean
  now: Date
}

/** Instances that are shown one by one, and removals of each. */
const MOST = 50
const REMOVALS = 100

export function ForecastView({ forecast, current, warnings, isApplied, now }: ForecastProps) {
  const { subjects, cut, unseen } = forecast
  const removals = subjects.flatMap((one) => one.removals)
  const told = [...warnings, ...unseen, ...(cut === null ? [] : [cut])]
  return (
    <section aria-labelledby="outcome">
      <h2 id="outcome">What would come of it</h2>
      <div class="card">
        <p>
          <strong>{summaryOf(removals, subjects.length)}</strong>
          {isApplied ? ' This is what is applied now.' : ''}
        </p>
        {told.map((text) => (
          <p class="notice warning">
            <Spoken text={text} now={now} />
          </p>
        ))}
        {current === null ? null : (
          <details open>
            <summary>What changes, compared with what is applied</summary>
            <pre class="plan">{renderLines(differenceOf(current, forecast))}</pre>
          </details>
        )}
      </div>
      {ordered(subjects)
        .slice(0, MOST)
        .map((one) => (
          <SubjectCard forecast={one} now={now} />
        ))}
      {subjects.length > MOST ? (
        <p>{`And ${subjects.length - MOST} more, of which less goes: name them by a glob.`}</p>
      ) : null}
    </section>
  )
}

function summaryOf(removals: readonly Removal[], instances: number): string {
  const many = (when: Removal['when']): number => removals.filter((one) => one.when === when).length
  return `${count(instances, 'instance')}: of the snapshots that exist, ${many('now')} would go at once, ${many('next')} with the next slot, and ${many('later')} later.`
}

/** Those first of which most goes soon. */
const ordered = (subjects: readonly SubjectForecast[]): SubjectForecast[] =>
  subjects.toSorted((a, b) => soonOf(b) - soonOf(a))

const soonOf = ({ removals, braked }: SubjectForecast): number =>
  removals.filter(({ when }) => when !== 'later').length + braked.length

const SubjectCard = ({ forecast, now }: { forecast: SubjectForecast; now: Date }) => {
  const { subject, policies, removals, braked, counts } = forecast
  return (
    <section class="card forecast" aria-label={subject}>
      <h3>
        <SubjectLink at={subject}>{subject}</SubjectLink> <span class="muted">{policies.join(', ')}</span>
      </h3>
      {braked.map(({ at, reason }) => (
        <p class="notice warning">
          <Moment at={at} />: <Spoken text={reason} now={now} />
        </p>
      ))}
      <CountTable counts={counts} />
      {removals.length === 0 ? (
        <p>Of the snapshots that exist, none goes.</p>
      ) : (
        <details open={soonOf(forecast) > 0}>
          <summary>{`${count(removals.length, 'snapshot')} of those that exist ${removals.length === 1 ? 'goes' : 'go'}`}</summary>
          <RemovalTable removals={removals.slice(0, REMOVALS)} />
          {removals.length > REMOVALS ? <p>{`And ${removals.length - REMOVALS} more.`}</p> : null}
        </details>
      )}
    </section>
  )
}

function CountTable({ counts }: { counts: readonly Counts[] }) {
  const places = counts[0]?.in.map(({ of }) => of) ?? []
  return (
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">Snapshots there</th>
            {counts.map(({ at }) => (
              <th scope="col">{at.slice(0, 10)}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {places.map((place) => (
            <tr>
              <th scope="row">{place}</th>
              {counts.map((one) => {
                const there = one.in.find(({ of }) => of === place)
                return (
                  <td>
                    {there?.snapshots ?? ''}
                    {there?.oldest == null ? null : (
                      <span class="age">{`oldest ${there.oldest.slice(0, 10)}`}</span>
                    )}
                  </td>
                )
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

const RemovalTable = ({ removals }: { removals: readonly Removal[] }) => (
  <div class="scroll">
    <Table heads={['Snapshot', 'Of', 'Goes', 'Why']}>
      {removals.map(({ snapshot, of, when, at, reason }) => (
        <tr>
          <th scope="row">
            <code>{snapshot}</code>
          </th>
          <td data-label="Of">{of}</td>
          <td data-label="Goes">
            {WHEN[when]}
            <span class="age">
              <Moment at={at} />
            </span>
          </td>
          <td data-label="Why">{reason}</td>
        </tr>
      ))}
    </Table>
  </div>
)
