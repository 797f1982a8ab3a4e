/**
 * How Incus answers, as far as a client of snapshots, listings, operations and copies comes to depend on it.
 * The one suite for the embedded Incus and for real daemons, of 6.0.4 and of 7.0.2: what differs is told by the
 * extensions that the server names.
 */

import { beforeAll, describe, expect, test } from 'vitest'
import { authContract } from './auth.ts'
import { bucketContract } from './buckets.ts'
import { cloneContract } from './clones.ts'
import { copyContract } from './copies.ts'
import { copyingContract } from './copying.ts'
import { execContract } from './execs.ts'
import { exportContract } from './exports.ts'
import { faultContract } from './faults.ts'
import { fileContract } from './files.ts'
import { importContract } from './imports.ts'
import { listingContract } from './listings.ts'
import { extensionsSchema } from './model.ts'
import { operationContract } from './operations.ts'
import { pauseContract } from './pauses.ts'
import { refreshContract } from './refresh.ts'
import { relayedContract } from './relayed.ts'
import { restoreContract } from './restores.ts'
import type { ContractInstance, ContractPair } from './server.ts'
import { createSide, readMetadata, routeNames, type Side } from './side.ts'
import { slowContract } from './slow.ts'
import { snapshotContract } from './snapshots.ts'
import { volumeCopyContract } from './volume-copies.ts'
import { volumeExportContract } from './volume-exports.ts'
import { volumeRestoreContract } from './volume-restores.ts'
import { volumeContract } from './volumes.ts'
import { wireContract } from './wire.ts'

/** The pair while the suite runs. */
export type World = {
  readonly main: Side
  readonly backup: Side
  /** Whether both servers name that extension; they are of one version. */
  has(extension: string): boolean
  elapse(seconds: number): Promise<void>
  /** An empty, stopped container on main under a name nobody used yet. */
  createInstance(
    prefix: string,
    more?: { project?: string; config?: Record<string, string> },
  ): Promise<ContractInstance>
  fresh(prefix: string): string
}

export function incusContract(name: string, openPair: () => Promise<ContractPair>): void {
  describe(`the contract of Incus, kept by ${name}`, () => {
    let pair: ContractPair
    let sides: { main: Side; backup: Side }
    let extensions: ReadonlySet<string>
    let counter = 0
    const world: World = {
      get main() {
        return sides.main
      },
      get backup() {
        return sides.backup
      },
      has: (extension) => extensions.has(extension),
      elapse: (seconds) => pair.elapse(seconds),
      fresh: (prefix) => `${prefix}-${++counter}`,
      async createInstance(prefix, more = {}) {
        const it = {
          name: this.fresh(prefix),
          ...(more.project === undefined ? {} : { project: more.project }),
        }
        await pair.main.createInstance({ ...more, ...it })
        return it
      },
    }
    beforeAll(async () => {
      pair = await openPair()
      sides = { main: createSide(pair.main), backup: createSide(pair.backup) }
      const server = readMetadata(await sides.main.ask('getServer'), extensionsSchema)
      extensions = new Set(server.api_extensions)
      return async () => {
        await Promise.all([sides.main.close(), sides.backup.close()])
        await pair.close()
      }
    })

    wireContract(world)
    authContract(world)
    listingContract(world)
    operationContract(world)
    snapshotContract(world)
    volumeContract(world)
    volumeCopyContract(world)
    pauseContract(world)
    execContract(world)
    copyContract(world)
    copyingContract(world)
    relayedContract(world)
    refreshContract(world)
    restoreContract(world)
    volumeRestoreContract(world)
    exportContract(world)
    volumeExportContract(world)
    bucketContract(world)
    cloneContract(world)
    importContract(world)
    fileContract(world)
    slowContract(world)
    faultContract(world)

    test('every route of the table was asked', () => {
      const asked = new Set([...sides.main.asked, ...sides.backup.asked])
      expect(routeNames.filter((route) => !asked.has(route))).toEqual([])
    })
  })
}
