/** Chat end to end on the embedded pair. */
import { openEmbedded } from '../emulator/contract-pair.ts'
import { chatEndToEnd } from './chat.ts'

chatEndToEnd('the embedded Incus', async () => ({ ...(await openEmbedded()), restore: async () => null }))
