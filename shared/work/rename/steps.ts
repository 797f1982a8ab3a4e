import type { Step } from '../../relay/steps.ts'
import type { DescribeAction, RenameAction } from './action.ts'

export const renameSteps = ({ ref, snapshot, to, createdAt }: RenameAction): Step[] => [
  { do: 'rename', ref, snapshot, to, createdAt },
]

export const describeSteps = ({ ref, snapshot, text }: DescribeAction): Step[] => [
  { do: 'describe', ref, snapshot, text },
]
