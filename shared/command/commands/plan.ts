import type { PreviewCommand } from '../command.ts'

export const plan: PreviewCommand = {
  kind: 'preview',
  name: 'plan',
  summary: 'Show what the next tick, or another command, would do and why, without doing it',
  role: 'viewer',
  parameters: [
    {
      name: 'line',
      kind: 'line',
      description: 'A command with its arguments, or instances; without it, the next tick',
      required: false,
    },
  ],
  examples: ['plan', "plan web1 'db*'", 'plan restore web1 daily-20261122T0300Z'],
}
