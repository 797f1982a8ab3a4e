/** Whether people can be told. */
import type { Examined } from './examined.ts'
import { critical, type Finding, unknown, warning } from './finding.ts'

export function aboutChannels({ channels, verdict, config }: Examined): Finding[] {
  if (config === null) return []
  if (channels.length === 0)
    return [
      warning(
        'channels-none',
        null,
        'there is no channel for notifications, so nobody is told when something is not well',
        'add "notify" to stapes.jsonc and apply it, then /backup notify test',
      ),
    ]
  const dead = new Map(
    verdict.conditions.flatMap(({ id, text }) =>
      id.startsWith('channel ') ? [[id.slice('channel '.length), text] as const] : [],
    ),
  )
  return channels.flatMap(({ name, type, heard }) => {
    const text = dead.get(name)
    const test = '/backup notify test sends one to each channel and shows what came back'
    if (text !== undefined) return [critical('channel-fails', name, text, test)]
    if (heard !== null) return []
    const what = `nothing has been sent to "${name}" (${type}) yet, so it isn't known whether notifications arrive there`
    return [unknown('channel-untried', name, what, test)]
  })
}
