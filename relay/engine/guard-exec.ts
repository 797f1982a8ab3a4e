/** A command is run only if the relay's configuration has it for that instance, and the relay's own mark on it names its hook. */
import type { Match } from '../../shared/incus/routes.ts'
import type { InstanceRef } from '../../shared/incus/subject.ts'
import { isObject } from './envelope.ts'
import type { Hooks } from './hooks.ts'
import type { Journal } from './journal.ts'
import { hookOn, isPausedByRelay } from './pause-mark.ts'
import type { Seal } from './seal.ts'

/** Null: it may be run. `config`: the instance's own. */
export function againstExec(
  ref: InstanceRef,
  config: unknown,
  body: unknown,
  known: { seal: Seal; journal: Pick<Journal, 'resumed'>; hooks: Pick<Hooks, 'of'> },
): string | null {
  const name = isPausedByRelay(ref, config, known) ? hookOn(ref, config, known.seal) : null
  if (name === null) return 'it has no mark of this relay for a hook'
  const hook = known.hooks.of(name, ref)
  const command = JSON.stringify(isObject(body) ? body.command : null)
  return hook !== null && [hook.before, hook.after].some((one) => JSON.stringify(one) === command)
    ? null
    : `the hook "${name}" in its configuration has no such command for it`
}

/** Null: it is what a command has written. */
export const againstOutput = ({ parameters }: Match): string | null =>
  /^exec_(?:[0-9a-f]{4,12}-?){5}\.std(out|err)$/.test(parameters.file ?? '')
    ? null
    : 'no command has written that'
