import { ok } from '../../result.ts'
import type { SettingCommand } from '../command.ts'

export const resume: SettingCommand = {
  kind: 'setting',
  name: 'resume',
  summary: 'Resume a paused policy',
  role: 'operator',
  parameters: [{ name: 'policy', kind: 'policy', description: 'The policy to resume', required: true }],
  examples: ['resume daily'],
  change: ({ policy = '' }) => ok({ do: 'resume', policy }),
}
