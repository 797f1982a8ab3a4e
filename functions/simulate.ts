/** A simulation: observes, and then only computes. */
import { emptyLedger } from '../shared/ledger/ledger.ts'
import { planAround } from '../shared/plan/around.ts'
import type { Note, Refusal } from '../shared/plan/plan.ts'
import { refuseScope } from '../shared/plan/scope.ts'
import { worldOf } from '../shared/plan/world.ts'
import { coverInstances } from '../shared/policy/coverage.ts'
import { err, ok, type Result } from '../shared/result.ts'
import { type Asked, type Forecast, forecast } from '../shared/simulate/forecast.ts'
import { observe } from './observe.ts'
import type { Io } from './run.ts'
import { installationOf, readConfig, type StoredConfig } from './state/config.ts'
import { readLedger } from './state/ledger.ts'

type Simulated = {
  forecast: Forecast
  /** By the applied configuration instead; null: that is the same one, or there is none. */
  applied: Forecast | null
  notes: Note[]
}

/** `config`: instead of the applied one. Null: there is none. */
export async function simulateOnly(
  asked: Asked,
  io: Io,
  now: Date,
  config?: StoredConfig,
): Promise<Result<Simulated, Refusal> | null> {
  const applied = await readConfig(io.state)
  const stored = config ?? applied
  if (stored === null) return null
  const before = applied?.config ?? stored.config
  const ledger = (await readLedger(io.state, now)).ledger ?? emptyLedger(stored.version)
  const installation = installationOf(stored, io.keyDigest)
  // Also the remotes that only the applied one has.
  const policies = [...stored.config.policies, ...before.policies]
  const seen = worldOf(await observe({ policies }, ledger, io.relay))
  const { planned, notes } = planAround(
    { world: seen, config: stored.config },
    ({ world, config: sound }) => {
      const refusal = refuseScope(scopeOf(asked), coverInstances(sound, world.remotes), world)
      if (refusal !== null) return err(refusal)
      const observed = { remotes: world.remotes, jobs: world.jobs }
      const beginning = { before, ledger, installation, now, observed }
      const isCompared = applied !== null && applied.version !== stored.version
      const each = isCompared ? { ...asked, effort: asked.effort / 2 } : asked
      return ok({
        forecast: forecast({ ...beginning, stored: { ...stored, config: sound } }, each),
        applied: isCompared ? forecast({ ...beginning, stored: applied }, each) : null,
      })
    },
  )
  return planned.ok ? ok({ ...planned.value, notes }) : planned
}

const scopeOf = ({ policy, subject }: Asked) => ({
  do: 'look',
  reason: '',
  policies: policy === undefined ? undefined : [policy],
  instances: subject === undefined ? undefined : [subject],
})
