import { err, ok } from '../../result.ts'
import { parseDuration } from '../../schedule/duration.ts'
import type { SettingCommand } from '../command.ts'

export const pause: SettingCommand = {
  kind: 'setting',
  name: 'pause',
  summary: 'Pause a policy, for a while or until it is resumed',
  role: 'operator',
  parameters: [
    { name: 'policy', kind: 'policy', description: 'The policy to pause', required: true },
    {
      name: 'duration',
      kind: 'duration',
      description: 'How long, such as 2h or 1d; without it, until it is resumed',
      required: false,
    },
  ],
  examples: ['pause daily 2h', 'pause daily'],
  change({ policy = '', duration }, by, now) {
    const pausing = { do: 'pause', policy, by, at: now.toISOString() } as const
    if (duration === undefined) return ok({ ...pausing, until: null })
    const seconds = parseDuration(duration)
    if (!seconds.ok) return err(seconds.error)
    return ok({ ...pausing, until: new Date(now.getTime() + seconds.value * 1000).toISOString() })
  },
}
