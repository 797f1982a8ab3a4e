import { configOf } from '../../own-schedule/settings.ts'
import { ok } from '../../result.ts'
import type { ChangeCommand, Parameter } from '../command.ts'
import { INSTANCE } from '../scope.ts'

const flag = (name: string, kind: Parameter['kind'], description: string): Parameter => ({
  ...{ name, kind, description },
  required: false,
  flag: true,
})

export const schedule: ChangeCommand = {
  kind: 'change',
  does: 'schedule',
  name: 'schedule',
  summary: "Show or set Incus's own schedule of an instance (snapshots.schedule)",
  role: 'operator',
  seldom: true,
  parameters: [
    INSTANCE,
    flag('expiry', 'name', 'When Incus removes what it takes: 7d, or none'),
    flag('pattern', 'name', 'How it names them: auto-%d, or none'),
    flag('stopped', 'switch', 'Also while the instance stands still'),
    flag('manual-expiry', 'name', 'When it removes those on request: 30d, or none'),
    {
      name: 'schedule',
      kind: 'text',
      description: 'Cron or aliases with comma and space; @never; none to follow its profiles',
      required: false,
    },
  ],
  examples: ['schedule web1', 'schedule web1 --expiry=7d 0 3 * * *', 'schedule web1 none'],
  request({ instance = '', 'manual-expiry': manualExpiry, stopped, ...values }, reason) {
    const config = configOf({
      ...values,
      ...{ manualExpiry, stopped: stopped === undefined ? undefined : stopped === 'yes' },
    })
    return config.ok ? ok({ do: 'schedule', instance, config: config.value, reason }) : config
  },
}
