/** /backup copy: how far it is, told by later ticks within what each platform takes, and how it ended. */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { PlatformName } from '../../shared/chat/actor.ts'
import { PLATFORMS } from './chat-people.ts'
import { look, NEW, recordOf, settle, take } from './chat-scene.ts'
import type { ChatStage } from './chat-stage.ts'

/** So few bytes a second, that a copy of so many seconds can be looked at while it runs. */
const SLOWLY = 300_000
/** The relay reads how far a copy is every five seconds. */
const SECONDS_TO_A_WORD = 6

export function copying(stageOf: () => ChatStage): void {
  const begin = async (platform: PlatformName, name: string, seconds: number): Promise<void> => {
    const stage = stageOf()
    const { main } = stage.pair
    await main.createInstance({ name })
    await main.write({ name }, NEW, seconds * SLOWLY)
    await take(stage, name)
    await main.throttle(SLOWLY)
    const said = await stage.ask(platform, `copy ${name}`, 'anna')
    expect(said).toMatchObject({ to: 'channel', text: expect.stringContaining('started 1 copy') })
    // What runs by now keeps its rate.
    await sleep(1_000)
    await main.throttle(null)
  }
  const end = async (platform: PlatformName, name: string): Promise<string> => {
    const stage = stageOf()
    const { text } = await settle(stage, platform, new RegExp(`copy ${name}\` is done: 1 copy verified`), 500)
    const [copy] = (await look(stage, name)).copies
    expect(copy).toMatchObject({ state: 'verified', unverified: [] })
    expect(await recordOf(stage, `copy ${name}`)).toMatchObject({ outcome: { state: 'done' } })
    return text
  }

  test('a copy tells how far it is, and its end', async () => {
    const stage = stageOf()
    const told = ['slack', 'discord'] as const
    for (const platform of told) await begin(platform, `app-${platform}`, SECONDS_TO_A_WORD + 5)
    const before = told.map((platform) => stage.read(platform).length)
    await sleep(SECONDS_TO_A_WORD * 1000)
    await stage.tick()
    for (const platform of told) {
      const far = new RegExp(`copying .*app-${platform}\`, [\\d.]+ \\wB.* at [\\d.]+ \\wB/s`)
      const { to } = await stage.until('its progress', () =>
        stage.read(platform).find(({ text }) => far.test(text)),
      )
      expect(to).toBe('channel')
    }
    for (const platform of told) await end(platform, `app-${platform}`)
    // Discord's one message is edited; Slack's address takes five messages in all, the first said that it began.
    const more = told.map((platform, index) => stage.read(platform).length - (before[index] ?? 0))
    expect(more).toEqual([expect.toSatisfy((many: number) => many <= 4), 0])
  })

  test.for(PLATFORMS)(
    'a copy that outlives its address on %s ends in the configured channel',
    async (platform) => {
      const stage = stageOf()
      const name = `app-long-${platform}`
      await begin(platform, name, 3)
      await stage.tick(20)
      await stage.tick(20)
      const before = stage.read(platform).length
      await end(platform, name)
      expect(stage.read(platform)).toHaveLength(before + 1)
    },
  )
}
