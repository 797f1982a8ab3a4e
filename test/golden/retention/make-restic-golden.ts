/**
 * Makes restic.json next to this file: what the real restic keeps, and why, of a fixed list of
 * snapshots under each policy. Needs restic on the path and a few minutes:
 * `npx node test/golden/retention/make-restic-golden.ts`
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { policies } from './policies.ts'

type Reason = {
  snapshot: { time: string; tags: string[] }
  matches: string[]
  counters?: Record<string, number>
}
type Group = { keep: Group['remove']; remove: Reason['snapshot'][] | null; reasons: Reason[] }

const two = (number: number) => String(number).padStart(2, '0')

/** Wall times; none twice, none that a zone below skips or repeats. */
const walls: string[] = [
  '2021-12-31 23:30',
  '2022-01-01 00:30',
  '2022-06-15 12:00',
  ...Array.from({ length: 24 }, (_, at) => `${2023 + Math.floor(at / 12)}-${two((at % 12) + 1)}-01 03:00`),
  '2024-12-29 03:00',
  '2024-12-30 03:00',
  '2024-12-31 03:00',
  '2025-01-01 03:00',
  '2025-01-05 23:59',
  '2025-01-06 00:00',
  '2025-03-30 01:45',
  '2025-03-30 03:15',
  '2025-03-30 03:45',
  '2025-10-25 23:10',
  '2025-10-26 00:10',
  '2025-10-26 01:45',
  '2025-10-26 03:15',
  ...Array.from({ length: 22 }, (_, at) => `2025-11-${two(at + 6)} 03:15`),
  ...Array.from({ length: 8 }, (_, at) => `2025-11-28 ${two(at * 3)}:30`),
  ...Array.from(
    { length: 12 },
    (_, at) => `2025-11-29 ${two(Math.floor(at / 2) + 18)}:${two((at % 2) * 35)}`,
  ),
  '2025-11-30 00:00',
  '2025-11-30 01:59',
  '2025-11-30 02:00',
  '2025-11-30 02:30',
]

const flag = (key: string) => `--keep-${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`

function observe(timezone: string) {
  const repository = mkdtempSync(join(tmpdir(), 'stapes-restic-'))
  const env = { ...process.env, TZ: timezone, RESTIC_REPOSITORY: repository, RESTIC_PASSWORD: 'x' }
  const restic = (args: string[], input = '') =>
    execFileSync('restic', ['--no-cache', ...args], { env, input, encoding: 'utf8', stdio: 'pipe' })
  try {
    restic(['init'])
    for (const [at, wall] of walls.entries()) {
      const tag = `s${two(at + 1)}`
      restic(['backup', '--stdin', '--host', 'h', '--tag', tag, '--time', `${wall}:00`], 'x')
      process.stderr.write(`\r${timezone}: ${tag} of ${walls.length}`)
    }
    return {
      timezone,
      snapshots: JSON.parse(restic(['snapshots', '--json'])).map(described),
      policies: Object.fromEntries(
        Object.entries(policies).map(([name, keep]) => {
          const flags = Object.entries(keep).flatMap(([key, value]) => [flag(key), String(value)])
          const [group] = JSON.parse(
            restic(['forget', '--dry-run', '--json', '--group-by', '', ...flags]),
          ) as Group[]
          return [name, kept(group)]
        }),
      ),
    }
  } finally {
    rmSync(repository, { recursive: true })
  }
}

const nameOf = ({ tags }: Reason['snapshot']): string => tags[0] ?? ''

const described = (snapshot: Reason['snapshot']) => ({
  name: nameOf(snapshot),
  takenAt: new Date(snapshot.time).toISOString(),
})

/** By name: what matched, and how many each count rule may still take after it (-1: all). */
const kept = (group: Group | undefined) =>
  Object.fromEntries(
    (group?.reasons ?? []).map(({ snapshot, matches, counters }) => [
      nameOf(snapshot),
      matches.map((match) => withLeft(match, counters ?? {})).join(' + '),
    ]),
  )

function withLeft(match: string, counters: Record<string, number>): string {
  const rule = /^(\w+) snapshot$/.exec(match)?.[1]
  return rule === undefined ? match : `${match}, ${counters[rule] ?? 0} left`
}

const golden = {
  note: 'Made by make-restic-golden.ts from the real restic; see test/unit/retention/restic.test.ts.',
  restic: execFileSync('restic', ['version'], { encoding: 'utf8' }).split(' ')[1],
  zones: ['UTC', 'Europe/Berlin', 'America/New_York'].map(observe),
}
// One line per snapshot in the list, and per kept one.
const text = JSON.stringify(golden, null, 1).replace(/\{\s+("name": .*)\s+(.*)\s+\}/g, '{ $1 $2 }')
writeFileSync(join(import.meta.dirname, 'restic.json'), `${text}\n`)
