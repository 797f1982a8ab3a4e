/** The first screen: what is backed up and what isn't, by remote and project, found by words, page by page. */
import { parseSubject, pathOf, type Subject } from '../incus/subject.ts'
import type { Facts } from '../promise/facts.ts'
import type { Promised } from '../promise/judge.ts'
import { isBroken } from '../promise/text.ts'
import type { Trouble, Verdict } from '../promise/verdict.ts'

/** One that exists, with what is promised of it. Without any promise it is under no policy, or under paused ones. */
export type Row = {
  key: string
  subject: Subject
  promises: Promised[]
  /** No policy covers it, and nobody has left it out on purpose. */
  uncovered: boolean
  /** What else isn't well with it. */
  troubles: number
}

export type Group = { remote: string; project: string; rows: Row[] }

const SHOWN = ['all', 'attention'] as const
type Shown = (typeof SHOWN)[number]

export type Query = { words: string; shown: Shown; page: number }

export type Overview = {
  groups: Group[]
  /** Of all rows, and of those that are found. */
  count: { all: number; found: number; attention: number }
  page: number
  pages: number
}

/** Rows of one page: what a browser shows at once, and a Worker renders in a few milliseconds. */
export const PER_PAGE = 50

/** Characters of a search. */
const LONGEST = 200

export function overviewOf(
  verdict: Verdict,
  troubles: readonly Trouble[],
  facts: Facts | null,
  query: Query,
) {
  const rows = rowsOf(verdict, troubles, facts)
  const words = query.words.slice(0, LONGEST).toLowerCase().split(/\s+/).filter(Boolean)
  const attention = rows.filter(needsAttention)
  const found = (query.shown === 'attention' ? attention : rows).filter(({ key }) =>
    words.every((word) => key.toLowerCase().includes(word)),
  )
  const pages = Math.max(1, Math.ceil(found.length / PER_PAGE))
  const page = Math.min(Math.max(1, query.page), pages)
  const overview: Overview = {
    groups: grouped(found.slice((page - 1) * PER_PAGE, page * PER_PAGE)),
    count: { all: rows.length, found: found.length, attention: attention.length },
    page,
    pages,
  }
  return overview
}

export const needsAttention = ({ promises, uncovered, troubles }: Row): boolean =>
  uncovered || troubles > 0 || promises.some((one) => one.state !== 'kept')

/** By remote and project; in each, those that need a look first. */
function rowsOf(verdict: Verdict, troubles: readonly Trouble[], facts: Facts | null): Row[] {
  const rows = new Map<string, Row>()
  const rowOf = (key: string): Row | null => {
    const known = rows.get(key)
    if (known !== undefined) return known
    const subject = parseSubject(key)
    if (subject === null) return null
    const row = { key, subject, promises: [], uncovered: false, troubles: 0 }
    rows.set(key, row)
    return row
  }
  for (const subjects of Object.values(facts?.subjects ?? {})) Object.keys(subjects).forEach(rowOf)
  for (const promised of verdict.promises) rowOf(promised.subject)?.promises.push(promised)
  for (const [place, names] of Object.entries(facts?.uncovered ?? {}))
    for (const name of names.split(' ')) {
      const row = rowOf(`${place}/${name}`)
      if (row !== null) row.uncovered = true
    }
  for (const { about } of troubles) {
    const row = about === null ? null : rowOf(about)
    if (row !== null) row.troubles += 1
  }
  const sorted = [...rows.values()].map((row): [string, Row] => [orderOf(row), row])
  return sorted.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row)
}

function orderOf(row: Row): string {
  const [remote, project, name] = pathOf(row.key)
  const grave = row.uncovered || row.promises.some(isBroken) ? 0 : needsAttention(row) ? 1 : 2
  return [remote, project, grave, name].join('/')
}

/** They are in order. */
function grouped(rows: readonly Row[]): Group[] {
  const groups: Group[] = []
  for (const row of rows) {
    const { remote, project } = row.subject
    const last = groups.at(-1)
    if (last?.remote === remote && last.project === project) last.rows.push(row)
    else groups.push({ remote, project, rows: [row] })
  }
  return groups
}
