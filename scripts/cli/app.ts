/** `stapes`, the command line: each command once, by the grammar that chat has, and what only a shell can do. */
import { type Application, buildApplication, buildRouteMap } from '@stricli/core'
import { local } from './local.ts'
import { shared } from './own.ts'
import type { Place, Route } from './place.ts'

/** `more`: commands that aren't part of the grammar. */
export const createApp = (
  currentVersion: string,
  more: Readonly<Record<string, Route>> = {},
): Application<Place> =>
  buildApplication(
    buildRouteMap<string, Place>({
      routes: { ...shared(), ...local, ...more },
      docs: { brief: 'Backups for Incus, decided at the edge. stapes <command> --help tells more of one.' },
    }),
    {
      name: 'stapes',
      versionInfo: { currentVersion },
      scanner: { caseStyle: 'original', allowArgumentEscapeSequence: true },
      documentation: { caseStyle: 'original', onlyRequiredInUsageLine: true },
    },
  )
