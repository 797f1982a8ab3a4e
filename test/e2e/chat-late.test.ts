/** Three seconds: a cold Worker acknowledges every command, also where nobody answers behind it, and says so then. */
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { beforeAll, describe, expect, test } from 'vitest'
import type { PlatformName } from '../../shared/chat/actor.ts'
import { commands } from '../../shared/command/commands.ts'
import { openEmbedded } from '../emulator/contract-pair.ts'
import { PLATFORMS } from './chat-people.ts'
import { furnish } from './chat-scene.ts'
import type { Shown } from './chat-side.ts'
import { type ChatStage, openChatStage } from './chat-stage.ts'

/** What the Worker waits for, and a bit. */
const SECONDS = 25

const linesOf = (needs: readonly string[]): string[] =>
  commands
    .filter((command) => needs.includes(command.kind === 'read' ? command.needs : command.kind))
    .map(({ examples, name }) => examples[0] ?? name)

/** By what is behind them. */
const FROM_LEDGER = linesOf(['nothing', 'ledger', 'history'])
const FROM_INCUS = linesOf(['world', 'preview', 'change'])

/** How a relay may fall silent; gives its recovery. */
const SILENCES: Record<string, (address: URL) => Promise<() => Promise<unknown>>> = {
  'is not there': async () => async () => {},
  'takes what is asked and never answers': async ({ hostname, port }) => {
    const sockets: Socket[] = []
    const server = createServer((socket) => sockets.push(socket)).listen(Number(port), hostname)
    await once(server, 'listening')
    return async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    }
  },
}

describe.for(Object.entries(SILENCES))('where the relay %s', ([, fall]) => {
  let stage: ChatStage
  beforeAll(async () => {
    stage = await openChatStage(async () => ({ ...(await openEmbedded()), restore: async () => null }))
    await furnish(stage)
    await stage.relay.stop()
    const rise = await fall(new URL(stage.relay.url))
    return async () => {
      await rise()
      await stage.close()
    }
  })

  const askAll = async (
    platform: PlatformName,
    lines: readonly string[],
    seconds: number,
  ): Promise<Shown[]> => {
    const before = stage.read(platform).length
    for (const line of lines) await stage.type(platform, line, 'anna')
    const shown = () => stage.read(platform).slice(before)
    await stage.until('all answers', () => shown().length === lines.length, seconds)
    return shown()
  }

  test.for(PLATFORMS)(
    'a cold Worker acknowledges every command on %s in time, and tells what is wrong',
    { timeout: 60_000 },
    async (platform) => {
      await stage.worker.restart()
      const told = await askAll(platform, FROM_INCUS, SECONDS)
      const silent = told.filter(
        ({ text }) => !/the relay can't be reached|no answer from the relay/.test(text),
      )
      expect(silent).toEqual([])
      const known = await askAll(platform, FROM_LEDGER, 5)
      expect(known.filter(({ text }) => text.includes('went wrong'))).toEqual([])
      expect(stage.violations()).toEqual([])
    },
  )
})
