import { ok } from '../../result.ts'
import type { SettingCommand } from '../command.ts'

export const resume: SettingCommand = {
  kind: 'setting',
  name: 'resume',
  summary: 'End the pause of a policy',
  role: 'operator',
  parameters: [
    { name: 'policy', kind: 'policy', description: 'The policy that works again', required: true },
  ],
  examples: ['resume daily'],
  change: ({ policy = '' }) => ok({ do: 'resume', policy }),
}
