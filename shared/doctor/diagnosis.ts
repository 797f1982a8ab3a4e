/** The whole judgement: findings of every area, the gravest first, and the areas in which all was fine. */
import { keysIn, parseSubject } from '../incus/subject.ts'
import type { Tone } from '../promise/verdict.ts'
import { aboutChannels } from './channels.ts'
import { aboutClocks } from './clocks.ts'
import { AREAS, type Area, CODES } from './codes.ts'
import { aboutEdge } from './edge.ts'
import type { Examined } from './examined.ts'
import { type Finding, SEVERITIES } from './finding.ts'
import { aboutKeys } from './keys.ts'
import { aboutKv } from './kv.ts'
import { aboutLeftovers } from './leftovers.ts'
import { aboutPools } from './pools.ts'
import { aboutServers } from './servers.ts'
import { aboutVersions } from './versions.ts'

export type Diagnosis = {
  /** As of a verdict: `bad` where something is critical, `warning` where something needs a look or can't be known. */
  tone: Tone
  findings: Finding[]
  /** Areas in which nothing was found. */
  fine: Area[]
}

const CHECKS: readonly ((examined: Examined) => Finding[])[] = [
  ...[aboutServers, aboutEdge, aboutKv, aboutChannels, aboutClocks, aboutVersions],
  ...[aboutPools, aboutKeys, aboutLeftovers],
]

/** Where no remote is named, none was looked at. */
const OF_SERVERS: readonly Area[] = ['relay', 'clocks', 'versions', 'pools', 'keys', 'leftovers']

export function diagnose(examined: Examined): Diagnosis {
  const all = CHECKS.flatMap((check) => check(examined))
  const findings = SEVERITIES.flatMap((wanted) => all.filter(({ severity }) => severity === wanted))
  const found = new Set(findings.map(({ code }) => CODES[code]))
  const unseen = [
    ...(Object.keys(examined.remotes).length === 0 ? OF_SERVERS : []),
    ...(examined.config === null ? ['channels'] : []),
  ]
  const fine = AREAS.filter((area) => !found.has(area) && !unseen.includes(area))
  return { tone: toneOf(findings), findings, fine }
}

function toneOf(findings: readonly Finding[]): Tone {
  const has = (...wanted: Finding['severity'][]): boolean =>
    findings.some(({ severity }) => wanted.includes(severity))
  return has('critical') ? 'bad' : has('warning', 'unknown') ? 'warning' : 'good'
}

/** Of what may be seen; what is left out is not fine. */
export function visibleTo({ findings, fine }: Diagnosis, maySee: (key: string) => boolean): Diagnosis {
  const seen = findings.filter(({ about, what, cure }) => {
    const keys = [...keysIn(what), ...keysIn(cure)].filter((key) => parseSubject(key) !== null)
    return (about === null || parseSubject(about) === null || maySee(about)) && keys.every(maySee)
  })
  return { tone: toneOf(seen), findings: seen, fine }
}
