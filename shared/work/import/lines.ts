/** How an import reads in a plan. */
import type { CopyGiven } from '../../incus/given.ts'
import { bucketIn, nounOf, subjectKey } from '../../incus/subject.ts'
import type { Line } from '../../plan/line.ts'
import { incusCommand } from '../../shell.ts'
import type { ImportAction } from './action.ts'

export function importLine({ of, store, name, to, start, given = {}, reason }: ImportAction): Line {
  const isVolume = nounOf(to) === 'volume'
  const after = start
    ? 'it is started then'
    : `it stays stopped: ${incusCommand(to.project, 'start', to.instance)}`
  const { pool, bucket } = bucketIn(to.instance) ?? {}
  const how =
    pool !== undefined && bucket !== undefined
      ? `as a new bucket with its objects, under keys of the same names that are new (${incusCommand(to.project, 'storage', 'bucket', 'key', 'show', pool, bucket, '<key>')}); nothing else is changed`
      : isVolume
        ? 'as a new volume of its own, without marks; nothing else is changed, and nothing uses it until somebody attaches it'
        : `as a new instance of its own, without fixed addresses and marks; nothing else is changed${givenText(given)}; ${after}`
  return {
    about: subjectKey(to),
    sign: '*',
    what: name,
    reason: `${reason}: made from the export ${name} of ${subjectKey(of)} in ${store}, ${how}`,
  }
}

/** By names: a value may be a secret. */
function givenText({ profiles, config = {}, devices = {} }: CopyGiven): string {
  const said = [
    ...(profiles === undefined ? [] : [`the profiles ${profiles.join(', ') || 'none'}`]),
    ...Object.keys(config),
    ...Object.keys(devices).map((name) => `device ${name}`),
  ]
  return said.length === 0 ? '' : `; it is given ${said.join(', ')} instead of its own`
}
