/** Applying stapes.jsonc: checked as a whole, and against what the relay knows, before anything is written. */
import { planAround } from '../../shared/plan/around.ts'
import { clockProblems } from '../../shared/plan/clocks.ts'
import { worldOf } from '../../shared/plan/world.ts'
import { coverInstances } from '../../shared/policy/coverage.ts'
import { parseConfig } from '../../shared/policy/parse.ts'
import { keptPauses } from '../../shared/policy/pause.ts'
import { remotesOf } from '../../shared/policy/places.ts'
import type { Config } from '../../shared/policy/policy.ts'
import type { StoredConfig } from '../../shared/policy/stored.ts'
import { warningsOf } from '../../shared/policy/warnings.ts'
import { uncoveredText } from '../../shared/promise/instance-conditions.ts'
import { unprotectedIn } from '../../shared/promise/unprotected.ts'
import type { InventoryReply } from '../../shared/relay/protocol.ts'
import { err, ok, type Result } from '../../shared/result.ts'
import { safeText } from '../../shared/safe-text.ts'
import { keysOf } from '../observe.ts'
import type { Io } from '../run.ts'
import { beganOf, findConfig, writeConfig } from '../state/config.ts'
import { attemptWrite } from '../state/unwritten.ts'
import { wake } from '../state/wake.ts'
import type { Problem } from './problem.ts'

type Applied = { version: string; appliedAt: string; policies: string[]; warnings: string[] }

/** A valid document: what would be stored, and warnings. */
type Checked = { stored: StoredConfig; applied: boolean; warnings: string[] }

/** `begins` is called with the document's version before anything is written. */
export async function applyConfig(
  document: unknown,
  io: Io,
  now: Date,
  dryRun: boolean,
  begins: (version: string) => Promise<void> = async () => {},
): Promise<Result<Applied, Problem>> {
  const checked = await checkConfig(document, io, now)
  if (!checked.ok) return checked
  const { stored, applied } = checked.value
  const warnings = [...checked.value.warnings]
  const { version, appliedAt } = stored
  if (!dryRun && !applied) {
    const why = await attemptWrite('the configuration', async () => {
      await begins(version)
      await writeConfig(io.state, stored)
    })
    if (why !== null) return err(unwritten(why))
    const asleep = await wake(io.state, now)
    if (asleep !== null)
      warnings.push(
        `applied, but no tick was woken for it: it takes effect when something is due, or with POST /api/run: ${asleep}`,
      )
  }
  const policies = stored.config.policies.map(({ name }) => name)
  return ok({ version, appliedAt, policies, warnings })
}

const unwritten = (why: string): Problem => ({
  status: 503,
  title: 'Not applied',
  detail: `KV did not take the configuration, so the one before stays in effect: ${why}. Has the plan's allowance of the day been used up? It begins anew at midnight UTC`,
})

/** Writes nothing. Paused policies stay paused. */
export async function checkConfig(document: unknown, io: Io, now: Date): Promise<Result<Checked, Problem>> {
  const parsed = parseConfig(document)
  if (!parsed.ok) {
    const errors = parsed.error.map(({ path, message }) => ({ path, message }))
    const detail = errors.map(({ message }) => message).join('; ')
    return err({ status: 422, title: 'The configuration is not valid; nothing was changed', detail, errors })
  }
  const config = parsed.value
  const remotes = await checkRemotes(config, io, now)
  if (!remotes.ok) return remotes
  const none = config.policies.length === 0 ? ['there is no policy in it, so nothing is backed up'] : []
  const unusable = io.secretProblems?.(config) ?? []
  const warnings = [...remotes.value, ...none, ...unusable, ...warningsOf(config)]
  const version = await versionOf(document)
  const { stored: known, pauses: paused, began: before, problems } = await findConfig(io.state)
  // One that is damaged in KV is written again, though the document is the same.
  if (known?.version === version && problems.length === 0)
    return ok({ stored: known, applied: true, warnings })
  const pauses = keptPauses(config, paused, known, now)
  const appliedAt = now.toISOString()
  const fresh = { at: appliedAt, nonce: crypto.randomUUID().slice(0, 8) }
  const began = known === null ? (before ?? fresh) : beganOf(known)
  const stored = { version, appliedAt, document, config, pauses, began }
  return ok({ stored, applied: false, warnings })
}

/** A remote that the relay doesn't know is an error; one that gives no answer just now is a warning. */
async function checkRemotes(config: Config, { relay }: Io, now: Date): Promise<Result<string[], Problem>> {
  const reply = await relay.inventory({ remotes: remotesOf(config.policies), ...keysOf(config) })
  if (!reply.ok) return ok([`the remotes could not be checked: ${reply.error.message}`])
  const bad = Object.entries(reply.value.remotes).flatMap(([remote, answer]) =>
    answer.ok ? [] : [{ remote, error: answer.error }],
  )
  const unknown = bad.filter(({ error }) => error.code === 'unknown-remote')
  if (unknown.length === 0)
    return ok([
      ...bad.map(({ remote, error }) => `${remote}: ${error.message}`),
      ...remarksOn(config, reply.value.remotes, now),
    ])
  const errors = config.policies.flatMap(({ name, select, copy }) =>
    unknown.flatMap(({ remote, error }) => [
      ...(select.remotes.includes(remote)
        ? [{ path: `policies.${name}.select.remotes`, message: error.message }]
        : []),
      ...(copy?.remote === remote ? [{ path: `policies.${name}.copy.remote`, message: error.message }] : []),
    ]),
  )
  const detail = errors.map(({ path, message }) => `${path}: ${message}`).join('; ')
  return err({
    status: 422,
    title: 'The configuration names unknown remotes; nothing was changed',
    detail,
    errors,
  })
}

/** Characters of a warning. */
const LONGEST = 3000

/** Warnings about a configuration, from the servers as they are: what reaches nothing, and other problems. */
function remarksOn(config: Config, remotes: InventoryReply['remotes'], now: Date): string[] {
  const input = { world: worldOf({ remotes, jobs: [] }), config }
  const { planned, notes } = planAround(input, ({ world, config: sound }) => {
    const coverages = coverInstances(sound, world.remotes)
    const { uncovered = {} } = unprotectedIn(coverages, world, null)
    return { coverages, uncovered, clocks: clockProblems(coverages, world, now) }
  })
  const { coverages, uncovered, clocks } = planned
  const found = [
    ...notes,
    ...coverages.flatMap(({ roles }) => roles),
    ...clocks,
    ...coverages.flatMap(({ problems, warnings }) => [...problems, ...warnings]),
  ].map(({ about, reason }) => safeText(`${about}: ${reason}`, LONGEST))
  const bare = Object.entries(uncovered).map(([place, names]) => uncoveredText(place, names.split(' ')))
  return [...new Set([...found, ...bare, ...coverages.flatMap(({ remarks }) => remarks)])]
}

async function versionOf(document: unknown): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(JSON.stringify(document)))
  return [...new Uint8Array(digest).slice(0, 8)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}
