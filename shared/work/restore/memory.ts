/**
 * Refuses a restore with memory that can't work. Incus finds out only after it has restored the disk, and
 * leaves the virtual machine stopped (6.0.4), so it is checked before.
 */
import type { Found } from '../../plan/find.ts'
import type { Refusal } from '../../plan/plan.ts'
import type { World } from '../../plan/world.ts'
import type { RestoreRequest } from './action.ts'

const PLAIN = 'restore it without "stateful"'

export function refuseMemory(
  { key, record }: Found,
  { snapshot, stateful = false }: Pick<RestoreRequest, 'snapshot' | 'stateful'>,
  world: World,
): Refusal | null {
  if (!stateful) return null
  const without =
    'restore it without "stateful": disk and settings are restored, and it boots without its memory'
  const refuse = (why: string): Refusal => ({ code: 'stateless', reason: why })
  if (record.type === 'volume') return refuse(`${key} is a custom volume, which has no memory: ${PLAIN}`)
  if (record.type !== 'virtual-machine')
    return refuse(`${key} is a container, and memory is restored only for virtual machines: ${without}`)
  if (record.memory !== true)
    return refuse(
      `${key} lacks migration.stateful=true, which Incus needs to restore memory: set it while the VM is stopped, or ${without}`,
    )
  const seen = world.memories?.get(`${key}/${snapshot}`)
  if (seen === undefined)
    return {
      code: 'unreadable',
      reason: `it could not be read whether ${snapshot} of ${key} holds memory: try again`,
    }
  return seen ? null : refuse(`${snapshot} of ${key} was taken without its memory: ${without}`)
}
