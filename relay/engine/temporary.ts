/**
 * Which instance or volume an export is made from, or files are read from: by its name, by the mark that the relay has sealed for it, and by
 * the journal. An export has name and mark in it, and so has what is imported from that: only the journal knows which of them the
 * relay made.
 */
import { createHash } from 'node:crypto'
import { type InstanceRef, subjectKey, volumeIn, volumeName } from '../../shared/incus/subject.ts'
import { EXPORTING } from '../../shared/policy/marks.ts'
import { text } from './envelope.ts'
import type { Journal } from './journal.ts'
import type { Seal } from './seal.ts'

const PREFIXES = { export: 'stapes-export-', files: 'stapes-files-' } as const

/** `name`: of an instance or a volume, as a subject is called. */
export const isTemporaryName = (name: string): boolean =>
  Object.values(PREFIXES).some((prefix) => lastOf(name).startsWith(prefix))

/** A volume's name without its pool. */
const lastOf = (name: string): string => volumeIn(name)?.volume ?? name

/** What it is made for, in words. */
export const purposeOf = (name: string): string =>
  lastOf(name).startsWith(PREFIXES.files) ? 'what files were read from' : 'what an export was made from'

/** The same for each try, and no other export's: Incus confuses backups of one name in two projects. A volume's is in its pool. */
export const temporaryOf = (
  ref: InstanceRef,
  { name, store }: { name: string; store: string },
): InstanceRef => named(ref, PREFIXES.export, `${subjectKey(ref)} ${store} ${name}`)

/** From which the files of a snapshot are read. */
export const readableOf = (ref: InstanceRef, snapshot: string): InstanceRef =>
  named(ref, PREFIXES.files, `${subjectKey(ref)} files of ${snapshot}`)

function named(ref: InstanceRef, prefix: string, of: string): InstanceRef {
  const digest = createHash('sha256').update(of).digest('hex')
  const [name, volume] = [`${prefix}${digest.slice(0, 24)}`, volumeIn(ref.instance)]
  return { ...ref, instance: volume === null ? name : volumeName(volume.pool, name) }
}

/** Whether its own mark is one that this relay made for that very instance, or for what it was imported from. */
export const isMarked = (ref: InstanceRef, config: Record<string, unknown>, seal: Seal): boolean =>
  isTemporaryName(ref.instance) && seal.isOn(ref, text(config[EXPORTING]))

/** Whether this relay made it, and may delete it. */
export const isTemporary = (
  ref: InstanceRef,
  config: Record<string, unknown>,
  { seal, journal }: { seal: Seal; journal: Pick<Journal, 'temporaries'> },
): boolean => journal.temporaries().has(subjectKey(ref)) && isMarked(ref, config, seal)
