/** A simulation: observes, and then only computes. */
import { emptyLedger } from '../shared/ledger/ledger.ts'
import { placeOf } from '../shared/ledger/work.ts'
import { planAround } from '../shared/plan/around.ts'
import type { Note, Refusal } from '../shared/plan/plan.ts'
import { narrow } from '../shared/plan/request.ts'
import { refuseScope } from '../shared/plan/scope.ts'
import { type World, worldOf } from '../shared/plan/world.ts'
import { coverInstances } from '../shared/policy/coverage.ts'
import type { Config } from '../shared/policy/policy.ts'
import type { Job } from '../shared/relay/protocol.ts'
import { err, ok, type Result } from '../shared/result.ts'
import { keptPlaces, type Stored } from '../shared/simulate/exports.ts'
import { type Asked, type Forecast, forecast } from '../shared/simulate/forecast.ts'
import { parseSurvey } from '../shared/work/export/manifest.ts'
import { observe } from './observe.ts'
import { read } from './perform.ts'
import type { Io } from './run.ts'
import { installationOf, readConfig, type StoredConfig } from './state/config.ts'
import { readFacts } from './state/facts.ts'
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
  const { exported, unread } = await readStores(asked, [stored.config, before], seen, io, now)
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
        forecast: forecast({ ...beginning, stored: { ...stored, config: sound } }, each, exported),
        applied: isCompared ? forecast({ ...beginning, stored: applied }, each, exported) : null,
      })
    },
  )
  return planned.ok ? ok({ ...planned.value, notes: [...notes, ...unread] }) : planned
}

/** So many instances and stores are read: each takes a list and some requests. */
const MOST = 20

/** What the stores have of the exports that either configuration removes. */
async function readStores(
  asked: Asked,
  configs: readonly Config[],
  world: World,
  io: Io,
  now: Date,
): Promise<{ exported: Stored; unread: Note[] }> {
  const coverages = configs.flatMap((config) => narrow(coverInstances(config, world.remotes), scopeOf(asked)))
  const wanted = new Map(
    keptPlaces(
      coverages.flatMap(({ covered }) => covered),
      now,
    ).map((one) => [placeOf(one.covered.key, one.export.to), one] as const),
  )
  const places = [...wanted].slice(0, MOST)
  const jobs = places.map(
    ([
      id,
      {
        covered: { ref },
        export: { to: store },
      },
    ]): Job => ({
      id,
      steps: [{ do: 'survey-exports', ref, store }],
    }),
  )
  const answers = await read(jobs, io.relay)
  const surveys = new Map(
    places.map(([place]) => {
      const report = answers.of(place)?.[0]
      return [place, report?.ok === true ? parseSurvey(report.metadata) : null] as const
    }),
  )
  const missed = [...wanted.keys()].filter((place) => surveys.get(place) == null)
  const { facts } = jobs.length === 0 ? { facts: null } : await readFacts(io.state, now)
  return {
    exported: { surveys, facts },
    unread: missed.slice(0, 3).map((about): Note => ({ kind: 'problem', about, reason: UNREAD })),
  }
}

const UNREAD = `what its store has was not read, so of its exports nothing is simulated: at most ${MOST} are, and "subject" or "policy" chooses them`

const scopeOf = ({ policy, subject }: Asked) => ({
  do: 'look',
  reason: '',
  policies: policy === undefined ? undefined : [policy],
  instances: subject === undefined ? undefined : [subject],
})
