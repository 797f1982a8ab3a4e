/** What came of a test message to a channel. */
import type { Channel } from './channel.ts'

export type Tested = Pick<Channel, 'name' | 'type'> & { ok: boolean; reason?: string }
