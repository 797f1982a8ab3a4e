/** The simulator: a form, and what would come of what is in it. */
import type { Change } from '../../shared/page/change.ts'
import type { Forecast } from '../../shared/simulate/forecast.ts'
import { ForecastView } from './forecast.tsx'
import { Layout } from './layout.tsx'

export type Outcome =
  | { ok: false; problems: string[] }
  | {
      ok: true
      forecast: Forecast
      /** By what is applied; null: that is the same. */
      current: Forecast | null
      warnings: string[]
      isApplied: boolean
    }

type SimulateProps = {
  policies: readonly string[]
  change: Change
  document: string
  subject: string
  /** As much is computed as a request may at most. */
  isThorough: boolean
  outcome: Outcome | null
  now: Date
}

export function SimulatePage(props: SimulateProps) {
  const { outcome, now } = props
  return (
    <Layout title="Simulate" signedIn now={now}>
      <h1>Simulate</h1>
      <p>
        See on the real snapshots what a change would keep and remove, now and over the next year. Nothing is
        applied, and nothing is removed by it.
      </p>
      {outcome === null ? null : <OutcomeView outcome={outcome} now={now} />}
      <PolicyForm {...props} />
      <DocumentForm {...props} />
    </Layout>
  )
}

const OutcomeView = ({ outcome, now }: { outcome: Outcome; now: Date }) =>
  outcome.ok ? (
    <ForecastView {...outcome} now={now} />
  ) : (
    <div class="notice bad" role="alert">
      <strong>It would be refused:</strong>
      <ul>
        {outcome.problems.map((problem) => (
          <li>{problem}</li>
        ))}
      </ul>
    </div>
  )

function PolicyForm({ policies, change, subject, isThorough }: SimulateProps) {
  if (policies.length === 0) return null
  return (
    <section aria-labelledby="one">
      <h2 id="one">Change one policy</h2>
      <div class="card">
        <nav aria-label="Policies" class="choices">
          {policies.map((name) => (
            <a
              href={`/simulate?${new URLSearchParams({ policy: name, subject })}`}
              aria-current={name === change.policy ? 'true' : 'false'}
            >
              {name}
            </a>
          ))}
        </nav>
        <form method="post" action="/simulate" class="stacked">
          <input type="hidden" name="part" value="policy" />
          <input type="hidden" name="policy" value={change.policy} />
          <Field
            name="schedule"
            label="Schedule"
            value={change.schedule}
            hint="Cron, or an alias such as @daily"
          />
          <Field
            name="keep"
            label="Keep"
            value={change.keep}
            hint='As in the document: { "daily": 7, "weekly": 4 }'
          />
          <Field
            name="expiry"
            label="Expiry"
            value={change.expiry}
            hint="Such as 6m; empty: none of its own"
          />
          <Scope id="subject" value={subject} isThorough={isThorough} />
          <button type="submit">Simulate this policy</button>
        </form>
      </div>
    </section>
  )
}

type FieldProps = { name: string; label: string; value: string; hint: string }

const Field = ({ name, label, value, hint }: FieldProps) => (
  <div class="field">
    <label for={name}>{label}</label>
    <input id={name} name={name} value={value} autocomplete="off" aria-describedby={`${name}-hint`} />
    <span id={`${name}-hint`} class="age">
      {hint}
    </span>
  </div>
)

type ScopeProps = { id: string; value: string; isThorough: boolean }

const Scope = ({ id, value, isThorough }: ScopeProps) => (
  <>
    <div class="field">
      <label for={id}>Only these instances</label>
      <input id={id} name="subject" value={value} autocomplete="off" aria-describedby={`${id}-hint`} />
      <span id={`${id}-hint`} class="age">
        A glob such as web* or main/default/web1; empty: all that are covered
      </span>
    </div>
    <div class="field">
      <label for={`${id}-effort`}>Compute</label>
      <select id={`${id}-effort`} name="effort">
        <option value="quick" selected={!isThorough}>
          For a second at most
        </option>
        <option value="thorough" selected={isThorough}>
          For half a minute at most: more than Cloudflare’s free plan allows
        </option>
      </select>
    </div>
  </>
)

const DocumentForm = ({ document, subject, isThorough }: SimulateProps) => (
  <section aria-labelledby="whole">
    <h2 id="whole">Or a whole stapes.jsonc</h2>
    <div class="card">
      <form method="post" action="/simulate" class="stacked">
        <input type="hidden" name="part" value="document" />
        <div class="field">
          <label for="document">The document</label>
          <textarea id="document" name="document" spellcheck={false} autocomplete="off">
            {document}
          </textarea>
        </div>
        <Scope id="document-subject" value={subject} isThorough={isThorough} />
        <button type="submit">Simulate this document</button>
      </form>
    </div>
  </section>
)
