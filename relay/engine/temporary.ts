/** Which instance an export is made from: by its name, and by the mark that the relay has sealed for it. */
import { createHash } from 'node:crypto'
import { type InstanceRef, subjectKey } from '../../shared/incus/subject.ts'
import { EXPORTING } from '../../shared/policy/marks.ts'
import { text } from './envelope.ts'
import type { Seal } from './seal.ts'

const PREFIX = 'stapes-export-'

export const isTemporaryName = (name: string): boolean => name.startsWith(PREFIX)

/** The same for each try, and no other export's: Incus confuses backups of one name in two projects. */
export function temporaryOf(ref: InstanceRef, name: string): InstanceRef {
  const digest = createHash('sha256')
    .update(`${subjectKey(ref)} ${name}`)
    .digest('hex')
  return { ...ref, instance: `${PREFIX}${digest.slice(0, 24)}` }
}

/** Whether its own mark is one that this relay made for that very instance. */
export const isTemporary = (ref: InstanceRef, config: Record<string, unknown>, seal: Seal): boolean =>
  isTemporaryName(ref.instance) && seal.isOn(ref, text(config[EXPORTING]))
