/** Chat end to end on two real daemons: the installed one, or `LAB_INCUSD`. */
import { INCUSD } from '../lab/installed.ts'
import { startPair } from '../lab/pair.ts'
import { onRealIncus } from '../lab/real.ts'
import { chatEndToEnd } from './chat.ts'

const incusd = process.env.LAB_INCUSD ?? INCUSD

onRealIncus(
  'chat, end to end',
  () =>
    chatEndToEnd('two real daemons', async () => ({
      ...(await startPair({ daemons: { main: incusd, backup: incusd } })),
      elapse: async () => {},
      restore: async () => null,
    })),
  [incusd],
)
