/** /backup, end to end: typed by people on every platform, confirmed by others, seen in Incus. */
import { afterEach, beforeAll, beforeEach, describe, expect } from 'vitest'
import { breaking } from './chat-breaks.ts'
import { changing } from './chat-changes.ts'
import { copying } from './chat-copies.ts'
import { reading } from './chat-reads.ts'
import { restoring } from './chat-restores.ts'
import { furnish } from './chat-scene.ts'
import { type ChatStage, openChatStage } from './chat-stage.ts'
import type { Theatre } from './stage.ts'

export function chatEndToEnd(name: string, openPair: () => Promise<Theatre>): void {
  describe(`chat, end to end, on ${name}`, () => {
    let stage: ChatStage
    beforeAll(async () => {
      stage = await openChatStage(openPair)
      await furnish(stage)
      return () => stage.close()
    })
    beforeEach(() => stage.catchUp())
    afterEach(() => expect(stage.violations()).toEqual([]))

    changing(() => stage)
    reading(() => stage)
    restoring(() => stage)
    copying(() => stage)
    breaking(() => stage)
  })
}
