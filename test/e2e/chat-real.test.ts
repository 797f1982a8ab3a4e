/** Chat end to end on two real daemons. */
import { startPair } from '../lab/pair.ts'
import { onRealIncus } from '../lab/real.ts'
import { chatEndToEnd } from './chat.ts'

onRealIncus('chat, end to end', () =>
  chatEndToEnd('two real daemons', async () => ({
    ...(await startPair()),
    elapse: async () => {},
    restore: async () => null,
  })),
)
