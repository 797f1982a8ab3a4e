/** The first screen, from what KV has: no call to Incus. */
import { count } from '../../shared/chat/words.ts'
import type { ShownWork } from '../../shared/command/work.ts'
import { pathOf } from '../../shared/incus/subject.ts'
import {
  type Group,
  needsAttention,
  type Overview,
  type Query,
  type Row,
} from '../../shared/page/overview.ts'
import type { PromiseKind } from '../../shared/promise/terms.ts'
import type { Trouble, Verdict } from '../../shared/promise/verdict.ts'
import { Lamp, NoLamp } from './lamp.tsx'
import { Layout } from './layout.tsx'
import { Policies, type PolicyView } from './policies.tsx'
import { Table } from './table.tsx'
import { Spoken, subjectPath } from './text.tsx'
import { Headline, Troubles } from './troubles.tsx'
import { WorkList } from './work-list.tsx'

type OverviewProps = {
  verdict: Verdict
  troubles: readonly Trouble[]
  overview: Overview
  query: Query
  running: readonly ShownWork[]
  policies: Record<string, PolicyView>
  /** When it was looked at last; null: never. */
  seen: string | null
  now: Date
}

export function OverviewPage(props: OverviewProps) {
  const { verdict, troubles, overview, query, running, policies, seen, now } = props
  return (
    <Layout title="Overview" signedIn now={now}>
      <Headline tone={verdict.tone} text={summaryOf(verdict, overview)} seen={seen} now={now} />
      <Troubles troubles={troubles} now={now} />
      <WorkList id="running" title="In progress" work={running} now={now} />
      <section aria-labelledby="instances">
        <h2 id="instances">Instances</h2>
        <Search query={query} overview={overview} />
        {overview.groups.length === 0 ? <Nothing overview={overview} /> : null}
        {overview.groups.map((group) => (
          <GroupCard group={group} now={now} />
        ))}
        <Pages overview={overview} query={query} />
      </section>
      <Policies policies={policies} now={now} />
      <Remarks verdict={verdict} now={now} />
    </Layout>
  )
}

function summaryOf({ promises }: Verdict, { count: { all, attention } }: Overview): string {
  const kept = promises.filter(({ state }) => state === 'kept').length
  const which = `${kept} of ${count(promises.length, 'promise is', 'promises are')} kept`
  const who = attention === 0 ? '' : `, ${attention} ${attention === 1 ? 'needs' : 'need'} a look`
  return `${count(all, 'instance')}${who}; ${which}.`
}

/** What is no trouble, and worth to be known. */
function Remarks({ verdict, now }: { verdict: Verdict; now: Date }) {
  const remarks = verdict.conditions.filter(({ severity }) => severity === 'info')
  if (remarks.length === 0) return null
  return (
    <section aria-labelledby="remarks">
      <h2 id="remarks">For the record</h2>
      <ul class="card remarks">
        {remarks.map(({ text }) => (
          <li>
            <Spoken text={text} now={now} />
          </li>
        ))}
      </ul>
    </section>
  )
}

const Search = ({ query, overview }: { query: Query; overview: Overview }) => (
  <form method="get" action="/" class="filters">
    <div class="grow">
      <label for="q">Find by remote, project or name</label>
      <input id="q" name="q" type="search" value={query.words} maxlength={200} />
    </div>
    <div>
      <label for="show">Show</label>
      <select id="show" name="show">
        <option value="all" selected={query.shown === 'all'}>
          {`All (${overview.count.all})`}
        </option>
        <option value="attention" selected={query.shown === 'attention'}>
          {`What needs a look (${overview.count.attention})`}
        </option>
      </select>
    </div>
    <button type="submit">Find</button>
  </form>
)

const Nothing = ({ overview }: { overview: Overview }) => (
  <p class="card">
    {overview.count.all === 0
      ? 'No look has shown an instance yet. Ticks look once a policy is applied.'
      : 'Nothing is found. Leave out a word, or show all.'}
  </p>
)

/** Exports have a column where some are promised. */
const GroupCard = ({ group, now }: { group: Group; now: Date }) => {
  const exports = group.rows.some((row) => row.promises.some(({ kind }) => kind === 'export'))
  return (
    <section class="group" aria-label={`${group.remote}, project ${group.project}`}>
      <h3>
        {group.remote} <span class="muted">/ {group.project}</span>
      </h3>
      <div class="card scroll">
        <Table heads={['Instance', 'Snapshot', 'Copy', ...(exports ? ['Export'] : [])]}>
          {group.rows.map((row) => (
            <RowLine row={row} exports={exports} now={now} />
          ))}
        </Table>
      </div>
    </section>
  )
}

type RowProps = { row: Row; exports: boolean; now: Date }

function RowLine({ row, exports, now }: RowProps) {
  const [, , name] = pathOf(row.key)
  return (
    <tr class={needsAttention(row) ? 'attention' : 'fine'}>
      <th scope="row">
        <a href={subjectPath(row.key)}>{name}</a>
        {row.troubles === 0 || row.promises.some(({ state }) => state !== 'kept') || row.uncovered ? null : (
          <span class="age">needs a look</span>
        )}
      </th>
      <td data-label="Snapshot">
        {row.uncovered ? (
          <NoLamp text="not backed up: no policy covers it" />
        ) : (
          <Lamps row={row} kind="snapshot" none="nothing is promised" now={now} />
        )}
      </td>
      <td data-label="Copy">
        {row.uncovered ? null : <Lamps row={row} kind="copy" none="no copy" now={now} />}
      </td>
      {exports ? (
        <td data-label="Export">
          {row.uncovered ? null : <Lamps row={row} kind="export" none="no export" now={now} />}
        </td>
      ) : null}
    </tr>
  )
}

type LampsProps = { row: Row; kind: PromiseKind; none: string; now: Date }

function Lamps({ row, kind, none, now }: LampsProps) {
  const promises = row.promises.filter((one) => one.kind === kind)
  if (promises.length === 0) return <span class="muted">{none}</span>
  return (
    <>
      {promises.map((promised) => (
        <Lamp promised={promised} now={now} />
      ))}
    </>
  )
}

function Pages({ overview, query }: { overview: Overview; query: Query }) {
  const { page, pages, count: counts } = overview
  if (pages === 1) return null
  return (
    <nav class="pages" aria-label="Pages of instances">
      {page > 1 ? (
        <a href={pathTo(query, page - 1)} rel="prev">
          Previous page
        </a>
      ) : null}
      <span>{`Page ${page} of ${pages}, ${count(counts.found, 'instance')}`}</span>
      {page < pages ? (
        <a href={pathTo(query, page + 1)} rel="next">
          Next page
        </a>
      ) : null}
    </nav>
  )
}

function pathTo({ words, shown }: Query, page: number): string {
  const given = { ...(words === '' ? {} : { q: words }), ...(shown === 'all' ? {} : { show: shown }) }
  return `/?${new URLSearchParams({ ...given, page: `${page}` })}#instances`
}
