/** `doctor`: what is wrong or may become so, on every server and between them, each with its cure. */
import { visibleTo } from '../../doctor/diagnosis.ts'
import { diagnosisMessage } from '../../doctor/message.ts'
import type { ReadCommand } from '../command.ts'

export const doctor: ReadCommand = {
  kind: 'read',
  name: 'doctor',
  summary: 'Look for what is wrong on every server and between them, each with its cure',
  role: 'operator',
  parameters: [],
  examples: ['doctor'],
  needs: 'doctor',
  seldom: true,
  answer: (_, { diagnosis, maySee, room }) => {
    if (diagnosis === undefined) throw new Error('nothing was examined')
    return diagnosisMessage(visibleTo(diagnosis, maySee), room)
  },
}
