/**
 * What an imported bucket becomes: its objects and its own settings, under keys of the same names and roles that are new. Incus takes no
 * access key twice, and who had the old ones is to get at the original alone.
 */
import { randomBytes, randomInt } from 'node:crypto'
import { refuseWay } from '../../../shared/incus/export-trust.ts'
import { request } from '../../../shared/incus/routes.ts'
import { bucketIn, type InstanceRef } from '../../../shared/incus/subject.ts'
import { MAKING, SINCE } from '../../../shared/policy/marks.ts'
import { err, ok, type Result } from '../../../shared/result.ts'
import { hasNone, NO_ADDRESS } from '../buckets.ts'
import { call } from '../call.ts'
import { isObject, text } from '../envelope.ts'
import type { BucketDescription, BucketKey, Held } from '../exports.ts'
import { type Chosen, fitSpace } from './clone-fit.ts'
import type { StepIo } from './step-io.ts'

/** What has nothing to do with the server that it comes to. */
const KEPT = /^(user\.(?!stapes\.)|size$)/

/** Settings that an imported bucket doesn't get, though its archive has them. */
export const droppedOfBucket = ({ config }: Held['details']): string[] =>
  Object.keys(config).filter((key) => !KEPT.test(key) && !key.startsWith('user.stapes.'))

export const keysText = ({ keys = [] }: Held): string =>
  `its keys are new ones: ${withAdmin(keys)
    .map(({ name, role }) => `${name} (${role})`)
    .join(', ')}; whoever shall use it needs these, not those of the original`

/** `mark`: its value of MAKING. `madeAt`: ISO 8601. */
export function bucketBody(
  { instance }: InstanceRef,
  { details, keys = [] }: Held,
  { mark, madeAt }: { mark: string; madeAt: string },
): Pick<BucketDescription, 'bucket' | 'keys'> {
  const { description, config } = details
  const kept = Object.entries(config).filter(([key]) => KEPT.test(key))
  return {
    bucket: {
      ...{ name: bucketIn(instance)?.bucket ?? '', description },
      config: { ...Object.fromEntries(kept), [MAKING]: mark, [SINCE]: madeAt },
    },
    keys: withAdmin(keys).map((key) => ({ ...key, ...newSecrets() })),
  }
}

/** Incus writes the objects with one of that role. */
function withAdmin(keys: readonly BucketKey[]): BucketKey[] {
  if (keys.some(({ role }) => role === ADMIN)) return [...keys]
  const isTaken = keys.some(({ name }) => name === ADMIN)
  return [...keys, { name: isTaken ? 'admin-of-stapes' : ADMIN, role: ADMIN, description: 'Admin user' }]
}

const ADMIN = 'admin'

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'

/** In Incus's own form. */
const newSecrets = (): { accessKey: string; secretKey: string } => ({
  accessKey: Array.from({ length: 20 }, () => LETTERS[randomInt(LETTERS.length)]).join(''),
  secretKey: randomBytes(30).toString('base64'),
})

/** Its pool is in its name. */
export async function fitBucket(
  to: InstanceRef,
  size: number,
  { upstream }: Pick<StepIo, 'upstream'>,
): Promise<Result<Chosen, string>> {
  const { pool = '' } = bucketIn(to.instance) ?? {}
  const server = await call(upstream, to.remote, request('getServer'))
  const about = server.ok && isObject(server.value.envelope.metadata) ? server.value.envelope.metadata : {}
  const version = text(isObject(about.environment) ? about.environment.server_version : '')
  if (server.ok && refuseWay('backup of a bucket', version) !== null)
    return err(`${to.remote} has Incus ${version}, and buckets are imported from 7.0.2 on`)
  // A restricted certificate isn't shown it.
  const config = isObject(about.config) ? about.config : {}
  if ('core.https_address' in config && text(config['core.storage_buckets_address']) === '')
    return err(NO_ADDRESS)
  const listed = await call(
    upstream,
    to.remote,
    request('listBuckets', { pool }, { recursion: '1', project: to.project }),
  )
  if (!listed.ok && hasNone(listed.error))
    return err(`the pool "${pool}" on ${to.remote} takes no buckets: name another, by --pool`)
  if (!listed.ok && listed.error.status === 404)
    return err(`${to.remote} has no pool "${pool}": name one that it has, by --pool`)
  const space = await fitSpace(to, pool, size, { upstream })
  return space === null ? ok({ pool: null, used: pool }) : err(space)
}
