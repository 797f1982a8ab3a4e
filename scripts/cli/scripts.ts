/** Commands that read their own arguments, each loaded only when it is called. */
import { existsSync } from 'node:fs'
import { buildCommand } from '@stricli/core'
import { own } from '../../shared/own.ts'
import { fail } from '../fail.ts'
import { againstNode } from './node-version.ts'
import type { Place, Route } from './place.ts'

/** Not part of the package: it builds the Worker with development tools, and stands in for Incus where there is none. */
async function start(): Promise<void> {
  const script = new URL('../start.ts', import.meta.url)
  if (existsSync(script)) return void (await import(script.href))
  fail(['stapes start needs a checkout of the source: npm ci && npm start'], 1)
}

/** Of a package, any Node may be the one that runs it. */
const onNewNode = (command: string, load: () => Promise<unknown>) => async (): Promise<unknown> => {
  const why = againstNode(command, process.versions.node)
  return why === null ? load() : fail([why], 1)
}

const SCRIPTS: Record<string, { brief: string; load: () => Promise<unknown> }> = {
  apply: {
    brief: 'Show what stapes.jsonc changes, ask, apply it, and run a tick at once',
    load: () => import('../apply.ts'),
  },
  simulate: {
    brief: 'Show what the next tick would do by a file, and which snapshots go within a year',
    load: () => import('../plan.ts'),
  },
  trust: {
    brief: 'Make keys, and a server that trusts them',
    load: onNewNode('trust', () => import('../trust.ts')),
  },
  init: {
    brief:
      'From nothing to a first protected instance on real servers: asks, shows the plan, and does nothing unasked',
    load: onNewNode('init', () => import('../init.ts')),
  },
  start: { brief: 'Run Worker and relay on this machine', load: start },
  relay: { brief: 'Run the relay', load: onNewNode('relay', () => import('../../relay/main.ts')) },
}

/** Null: it is none of them. */
export const scriptOf = (name: string | undefined): (() => Promise<unknown>) | null =>
  name === undefined ? null : (own(SCRIPTS, name)?.load ?? null)

export const scripts: Record<string, Route> = Object.fromEntries(
  Object.entries(SCRIPTS).map(([name, { brief, load }]) => [
    name,
    buildCommand<object, string[], Place>({
      docs: { brief },
      parameters: {
        positional: {
          kind: 'array',
          parameter: { brief: 'See its --help', parse: String, placeholder: 'word' },
        },
      },
      func: async () => void (await load()),
    }),
  ]),
)
