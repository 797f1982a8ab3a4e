/** What the suite has shown, written into docs/drivers.md: each version's section is replaced when it was tried. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Built } from './built.ts'
import { KINDS, type Kind } from './pools.ts'
import type { Stage } from './stage.ts'

type Report = {
  begin(stage: Stage, built: Built): Promise<void>
  /** What the check says stands in the cell at once; if it throws, that it failed. */
  note(cell: string, check: () => Promise<string>): Promise<void>
}

const FILE = join(import.meta.dirname, '../../docs/drivers.md')

export function openReport(version: string): Report {
  const cells = new Map<string, string>()
  let heading = ''
  return {
    async begin({ machine }, { packages }) {
      const kernel = await machine.sh('uname -r')
      const zfs = await machine.sh('cat /sys/module/zfs/version')
      const day = new Date().toISOString().slice(0, 10)
      heading = `Tried on ${day}: Incus ${version} on both sides, Linux ${kernel}, ZFS ${zfs}, lvm2 ${packages.lvm2}, btrfs-progs ${packages['btrfs-progs']}.`
    },
    async note(cell, check) {
      cells.set(cell, '**failed**')
      try {
        cells.set(cell, await check())
      } finally {
        // After each one: what was seen stands there even if the run is cut off.
        const text = await readFile(FILE, 'utf8')
        await writeFile(FILE, replaceSection(text, version, render(heading, cells)))
      }
    },
  }
}

const mark = (version: string, end: 'begin' | 'end') =>
  `<!-- ${end} ${version}: written by npm run lab:drivers -->`

export function replaceSection(text: string, version: string, section: string): string {
  const [begin, end] = [mark(version, 'begin'), mark(version, 'end')]
  const block = `${begin}\n\n## Incus ${version}\n\n${section}\n\n${end}`
  const [from, to] = [text.indexOf(begin), text.indexOf(end)]
  if (from < 0 || to < from) return `${text.trimEnd()}\n\n${block}\n`
  return `${text.slice(0, from)}${block}${text.slice(to + end.length)}`
}

export function render(heading: string, cells: ReadonlyMap<string, string>): string {
  const cell = (name: string): string => cells.get(name) ?? 'not tried'
  const row = (...values: string[]): string => `| ${values.join(' | ')} |`
  const pair = (from: Kind, to: Kind): string => {
    const [first, refresh] = [cell(`${from} ${to} first`), cell(`${from} ${to} refresh`)]
    return first === refresh ? first : `first: ${first}, refresh: ${refresh}`
  }
  return [
    heading,
    '',
    row('driver', 'snapshot by policy', 'expiry', 'restore in place of one that is not the newest'),
    row('---', '---', '---', '---'),
    ...KINDS.map((kind) =>
      row(kind, cell(`${kind} snapshot`), cell(`${kind} expiry`), cell(`${kind} restore`)),
    ),
    '',
    'First copy and refreshes, verified and with the same data in each snapshot:',
    '',
    row('from \\ to', ...KINDS),
    row('---', ...KINDS.map(() => '---')),
    ...KINDS.map((from) => row(from, ...KINDS.map((to) => pair(from, to)))),
  ].join('\n')
}
