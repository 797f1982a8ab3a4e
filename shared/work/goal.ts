/** Why a new instance can't come to a place, by what was observed there. */
import { isBucketName, isVolumeName } from '../incus/names.ts'
import {
  bucketIn,
  bucketName,
  type InstanceRef,
  nounOf,
  subjectKey,
  volumeIn,
  volumeName,
} from '../incus/subject.ts'
import { own } from '../own.ts'
import type { Refusal } from '../plan/plan.ts'
import type { World } from '../plan/world.ts'
import { MAKING } from '../policy/marks.ts'

export function refuseServer({ remote, project }: InstanceRef, { remotes }: World): Refusal | null {
  const reply = own(remotes, remote)
  if (reply === undefined)
    return {
      code: 'not-found',
      reason: `no policy names the remote "${remote}", so stapes doesn't look at it: add it to one, or name another by --remote`,
    }
  if (!reply.ok)
    return {
      code: 'unreadable',
      reason: `${remote} can't be queried: ${reply.error.message}; name another server by --remote, or try again when it is back`,
    }
  return reply.inventory.projects.includes(project)
    ? null
    : {
        code: 'not-found',
        reason: `${remote} has no project ${project}: create it there, or name another by --project`,
      }
}

/** One that is being made by stapes itself is looked at by the relay. */
export function refuseName(to: InstanceRef, world: World): Refusal | null {
  const record = world.find(to)
  if (record !== undefined && !record.own.includes(MAKING))
    return {
      code: 'exists',
      reason: `there is ${nounOf(to) === 'instance' ? 'an instance' : `a ${nounOf(to)}`} ${subjectKey(to)} already: choose another name`,
    }
  const bucket = bucketIn(to.instance)
  if (bucket !== null) return isBucketName(bucket.bucket) ? null : misnamedBucket(bucket.bucket)
  const volume = volumeIn(to.instance)
  if (volume !== null) return isVolumeName(volume.volume) ? null : misnamedVolume(volume.volume)
  return isName(to.instance) ? null : misnamed(to.instance)
}

/** A host name, as Incus wants it. */
const isName = (name: string): boolean => /^[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/.test(name)

const misnamedVolume = (name: string): Refusal => ({
  code: 'forbidden',
  reason: `stapes takes no such name: "${name}" has to be up to 100 letters, digits and any of "_ . - + = @ :"`,
})

const misnamedBucket = (name: string): Refusal => ({
  code: 'forbidden',
  reason: `Incus takes no such name: "${name}" has to be 3 to 63 lower-case letters, digits, dots and dashes, beginning with a letter or a digit`,
})

const misnamed = (name: string): Refusal => ({
  code: 'forbidden',
  reason: `Incus takes no such name: "${name}" has to be up to 63 letters, digits and dashes, beginning with a letter and not ending with a dash`,
})

/** What a new one is called as a subject: a volume or a bucket stays in the pool of its original, unless another is named. */
export function calledIn(home: InstanceRef, name: string, pool: string | undefined): string {
  const bucket = bucketIn(home.instance)
  if (bucket !== null) return name.includes(':') ? name : bucketName(pool ?? bucket.pool, name)
  const volume = volumeIn(home.instance)
  return volume === null || volumeIn(name) !== null ? name : volumeName(pool ?? volume.pool, name)
}
