/** The Worker's side: what is applied, whether ticks come, and what its own looks say. */
import { enumerate } from '../chat/words.ts'
import type { Condition } from '../promise/condition.ts'
import { troublesOf } from '../promise/verdict.ts'
import type { Examined } from './examined.ts'
import { critical, type Finding, warning } from './finding.ts'

const idIn = ({ id }: Condition): string => id.split(' ', 1)[0] ?? ''

export function aboutEdge({ verdict, config }: Examined): Finding[] {
  const missing =
    config === null
      ? [
          critical(
            'config-missing',
            null,
            textOf(verdict.conditions, 'config') ?? 'no configuration is applied, so nothing is backed up',
            'npm run apply, or PUT /api/config',
          ),
        ]
      : []
  return [...missing, ...verdict.conditions.flatMap(aboutTicks), ...aboutStatus(verdict)]
}

const textOf = (conditions: readonly Condition[], id: string): string | undefined =>
  conditions.find((one) => idIn(one) === id)?.text

function aboutTicks(condition: Condition): Finding[] {
  const { id, text } = condition
  const late = `look at the cron trigger of the Worker (Cloudflare's dashboard, Workers, Settings, Triggers), or let an outside clock call POST /api/tick`
  if (id === 'ticks') return [critical('ticks-late', null, text, late)]
  if (id === 'first tick') return [critical('ticks-none', null, text, `wait for two minutes; then ${late}`)]
  return id === 'applied' ? [warning('config-unused', null, text, `wait for two minutes; then ${late}`)] : []
}

/** They have findings of their own. */
const OTHERS: readonly string[] = ['config', 'ticks', 'first', 'applied', 'kv', 'channel']
const NAMED = 3

/** Promises, slots and work are what the status tells; here it stands that there is something to read. */
function aboutStatus(verdict: Examined['verdict']): Finding[] {
  const conditions = verdict.conditions.filter((one) => !OTHERS.includes(idIn(one)))
  const troubles = troublesOf({ ...verdict, conditions })
  if (troubles.length === 0) return []
  const shown = troubles.slice(0, NAMED).map(({ text }) => text)
  const more = troubles.length - shown.length
  const what = enumerate(more > 0 ? [...shown, `${more} more`] : shown)
  const tell = troubles.some(({ tone }) => tone === 'bad') ? critical : warning
  return [
    tell('status-bad', null, `by the last looks not all is well: ${what}`, '/backup status tells all of it'),
  ]
}
