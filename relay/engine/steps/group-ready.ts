/** Makes what runs of a group ready by its hook, instead of having it stand still. */
import { type InstanceRef, subjectKey } from '../../../shared/incus/subject.ts'
import type { CallError } from '../../../shared/relay/protocol.ts'
import type { GroupHook } from '../../../shared/relay/steps.ts'
import { type HookIo, NOT_RUN, runHook } from '../hook-commands.ts'
import { refused } from '../rules.ts'

/** Null: the relay has it for each of them. */
export function whyNoHook(
  { name }: GroupHook,
  running: readonly InstanceRef[],
  io: HookIo,
): CallError | null {
  const without = running.find((ref) => io.hooks.of(name, ref) === null)
  return without === undefined
    ? null
    : refused(
        `run the hook "${name}" in ${subjectKey(without)}`,
        'its configuration has no hook of that name for it ("hooks" in relay.jsonc)',
      )
}

/** Where one isn't ready, the others are not left so: for all of them the command after is run as well. */
export async function makeReady(
  { name }: GroupHook,
  running: readonly InstanceRef[],
  since: number,
  io: HookIo,
): Promise<CallError | null> {
  const run = async (ref: InstanceRef, which: 'before' | 'after'): Promise<CallError | null> => {
    const hook = io.hooks.of(name, ref)
    if (hook === null) return whyNoHook({ name, otherwise: 'fail' }, [ref], io)
    const ran = await runHook({ ref, name, since }, which, hook, io)
    return ran.ok ? null : ran.error
  }
  const wrong = (await Promise.all(running.map((ref) => run(ref, 'before')))).find((error) => error !== null)
  if (wrong !== undefined) await Promise.all(running.map((ref) => run(ref, 'after')))
  return wrong ?? null
}

/** How it reads in the record of a slot, which people see who may not see the instance. */
export function insteadText({ name }: GroupHook, { code, message }: CallError): string {
  const at = message.indexOf(`${NOT_RUN}:`)
  const said = at < 0 ? message : `${message.slice(0, at)}${NOT_RUN}`
  const why = code === 'not-allowed' ? 'the relay has none of that name for it' : said
  return `taken without its hook "${name}", so only crash-consistent: ${why}`
}

export const afterText = ({ name }: GroupHook): string =>
  `all was taken while the hook "${name}" had it ready, but the command after has failed so far, and is tried again`
