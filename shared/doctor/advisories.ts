/** Versions of Incus that are known to be bad: for exports, and for the server's own safety. */

export type Version = readonly [major: number, minor: number, patch: number]

/** Null: it is none that is known. */
export function parseVersion(text: string): Version | null {
  const found = /^(\d+)\.(\d+)(?:\.(\d+))?/.exec(text)
  return found === null ? null : [Number(found[1]), Number(found[2]), Number(found[3] ?? 0)]
}

const isFrom = (version: Version, from: Version): boolean => {
  const at = version.findIndex((part, place) => part !== from[place])
  return at < 0 || (version[at] ?? 0) > (from[at] ?? 0)
}

/** A long-term release gets patches of its own, under its minor version 0. */
const isLongTerm = ([, minor]: Version): boolean => minor === 0

type Advisory = {
  names: readonly string[]
  /** Fixed since that release. */
  fixed: Version
  /** The first release of the long-term line 6.0 that has the fix; absent: none is known. */
  lts?: Version
  /** What somebody could do. */
  what: string
}

/** Of upstream's advisories those that concern whoever runs instances that aren't all their own. */
const ADVISORIES: readonly Advisory[] = [
  {
    names: ['CVE-2025-64507'],
    ...{ fixed: [6, 19, 0], lts: [6, 0, 6] },
    what: 'root of a container becomes root of the server by a shifted custom volume',
  },
  {
    names: ['CVE-2026-23953', 'CVE-2026-23954'],
    ...{ fixed: [6, 21, 0], lts: [6, 0, 6] },
    what: 'whoever may make instances or images reads and writes files of the server',
  },
  {
    names: [
      'CVE-2026-33542',
      'CVE-2026-33711',
      'CVE-2026-33743',
      'CVE-2026-33897',
      'CVE-2026-33898',
      'CVE-2026-33945',
    ],
    fixed: [6, 23, 0],
    what: 'whoever may configure instances reads and writes files of the server, or ends its daemon by a crafted backup',
  },
  {
    names: [
      'CVE-2026-40195',
      'CVE-2026-40197',
      'CVE-2026-40243',
      'CVE-2026-40251',
      'CVE-2026-41647',
      'CVE-2026-41648',
      'CVE-2026-41684',
      'CVE-2026-41685',
    ],
    fixed: [7, 0, 0],
    what: 'whoever may import ends the daemon by a crafted backup, and more',
  },
  {
    names: ['CVE-2026-48749', 'CVE-2026-48750', 'CVE-2026-48751', 'CVE-2026-48752', 'CVE-2026-48755'],
    fixed: [7, 2, 0],
    what: 'whoever may import images, or choose how a backup is compressed, reads and writes files of the server',
  },
]

export const advisoriesOf = (version: Version): readonly Advisory[] =>
  ADVISORIES.filter(({ fixed, lts }) => {
    if (isFrom(version, fixed)) return false
    return lts === undefined || !(isLongTerm(version) && version[0] === lts[0]) || !isFrom(version, lts)
  })

/** A failing export ends the whole daemon, and with it whatever else runs there: 6.0.6, and 6.22 until 7.0.2 and 7.4. */
export function diesOfExports(version: Version): boolean {
  const [major, minor, patch] = version
  if (isLongTerm(version)) return (major === 6 && patch >= 6) || (major === 7 && patch < 2)
  return isFrom(version, [6, 22, 0]) && !isFrom(version, [7, 4, 0]) && minor > 0
}
