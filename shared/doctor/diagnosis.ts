/** The whole judgement: findings of every area, the gravest first, and the areas in which all was fine. */
import { keysIn, parseSubject } from '../incus/subject.ts'
import type { Tone } from '../promise/verdict.ts'
import { aboutCertificates } from './certificates.ts'
import { aboutChannels } from './channels.ts'
import { aboutClocks } from './clocks.ts'
import { AREAS, type Area, CODES } from './codes.ts'
import { aboutEdge } from './edge.ts'
import type { Examined, RelayFacts } from './examined.ts'
import { type Finding, SEVERITIES } from './finding.ts'
import { aboutKeys } from './keys.ts'
import { aboutKv } from './kv.ts'
import { aboutLeftovers } from './leftovers.ts'
import { aboutPools } from './pools.ts'
import { aboutNeeds, aboutReach } from './reach.ts'
import { aboutRelay } from './relay.ts'
import { aboutRights } from './rights.ts'
import { aboutServers, relayOld } from './servers.ts'
import { aboutSpace } from './space.ts'
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
const OF_SERVERS: readonly Area[] = [
  ...['clocks', 'versions', 'pools', 'keys', 'leftovers', 'space', 'rights', 'reach', 'needs'],
] as Area[]
/** What the relay alone can look at. */
const OF_EXAM: readonly Area[] = [
  'relay',
  'certificates',
  'space',
  'rights',
  'reach',
  'needs',
  'clocks',
  'versions',
]

/** By what only the relay's exam knows. */
const aboutExam = (examined: Examined, relay: RelayFacts): Finding[] => [
  ...aboutRelay(relay, examined.version),
  ...aboutCertificates(relay, examined.now),
  ...aboutSpace(relay, examined.now),
  ...aboutRights(relay),
  ...aboutReach(examined, relay),
  ...aboutNeeds(examined, relay),
]

export function diagnose(examined: Examined): Diagnosis {
  const { relay } = examined
  const all = [
    ...CHECKS.flatMap((check) => check(examined)),
    ...(relay.ok ? aboutExam(examined, relay.value) : relayOld(relay)),
  ]
  const findings = SEVERITIES.flatMap((wanted) => all.filter(({ severity }) => severity === wanted))
  const found = new Set(findings.map(({ code }) => CODES[code]))
  const unseen = [
    ...(Object.keys(examined.remotes).length === 0 ? OF_SERVERS : []),
    ...(relay.ok ? [] : OF_EXAM),
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
