/** A server's whole state as text: what tests compare. */
import { NEVER } from './dates.ts'
import type { EmbeddedIncus } from './server.ts'
import type { Disk, Instance, Snapshot } from './state.ts'

/**
 * ```
 * main:default/web1 running
 *   daily-20261122T0300Z  2026-11-22T03:00:05Z  until 2026-11-29T03:00:00Z
 *   before-upgrade        2026-11-20T12:00:00Z  phantom
 * ```
 * Projects and instances by name, snapshots as they came; data are mentioned where they aren't whole.
 */
export function render(incus: EmbeddedIncus): string {
  const instances = [...incus.state.projects.values()].flatMap((project) => [...project.instances.values()])
  const key = ({ project, name }: Instance): string => `${project}/${name}`
  return instances
    .sort((a, b) => (key(a) < key(b) ? -1 : 1))
    .map((instance) => renderInstance(`${incus.options.name}:${key(instance)}`, instance))
    .join('\n')
}

function renderInstance(name: string, instance: Instance): string {
  const width = Math.max(0, ...[...instance.snapshots.keys()].map((each) => each.length))
  const head = [name, instance.status.toLowerCase(), ...flaws(instance.disk)].join(' ')
  return [head, ...[...instance.snapshots.values()].map((each) => `  ${renderSnapshot(each, width)}`)].join(
    '\n',
  )
}

const renderSnapshot = ({ name, second, expires, disk, inMaking }: Snapshot, width: number): string =>
  [
    name.padEnd(width),
    `${new Date(second * 1000).toISOString().slice(0, 19)}Z`,
    ...(expires.text === NEVER ? [] : [`until ${expires.text}`]),
    ...(inMaking ? ['in the making'] : flaws(disk)),
  ].join('  ')

const flaws = ({ held }: Disk): string[] => (held === 'whole' ? [] : [held])
