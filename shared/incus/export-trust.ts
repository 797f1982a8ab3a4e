/**
 * Which way of exporting may be trusted on which server, by its version. A failure must be seen as one: a stream that ends
 * well though it was cut short, or an upload that is reported before it ended, is none.
 */

type Way = 'named backup' | 'direct stream' | 'upload by Incus' | 'backup of a bucket'

/** From that version on, until the next line of the way. What upstream's own commit messages and tests on 6.0.4 and 7.0.2 say. */
const TRUST: Record<Way, readonly [from: readonly number[], isTrusted: boolean, why: string][]> = {
  'named backup': [[[6, 0], true, 'a failure fails its operation, or ends the daemon: either is seen']],
  // Before, buckets needed MinIO. It is whole below `MOST_OBJECTS` alone.
  'backup of a bucket': [[[7, 0, 2], true, 'a failure fails its operation']],
  'direct stream': [
    [[6, 22], false, 'ends as if all was well where the export failed'],
    [[7, 0, 1], false, 'has no name and skips files that vanish'],
  ],
  'upload by Incus': [
    [[6, 14], false, 'doesn’t verify the store’s certificate'],
    [[6, 22], false, 'is reported as done before it has ended'],
    [[7, 0, 2], false, 'takes no part in what is checked here'],
  ],
}

/**
 * Of a bucket whose backup can be trusted, less. Incus's own bucket server lists 1000 at once and leaves out one each time (7.0.2, and
 * upstream since), to any client and to Incus itself, which then says Success.
 */
export const MOST_OBJECTS = 1000

/** Why exports of a server can't be trusted that way; null: they can. */
export function refuseWay(way: Way, version: string): string | null {
  const numbers = /^\d+(\.\d+)*/.exec(version)?.[0].split('.').map(Number)
  if (numbers === undefined) return `its version "${version}" is none that is known`
  const line = TRUST[way].findLast(([from]) => isFrom(numbers, from))
  if (line === undefined) return `exports of Incus ${version} were never tried`
  return line[1] ? null : `on Incus ${version} a ${way} ${line[2]}`
}

function isFrom(version: readonly number[], from: readonly number[]): boolean {
  const place = from.findIndex((part, at) => (version[at] ?? 0) !== part)
  return place < 0 || (version[place] ?? 0) > (from[place] ?? 0)
}
