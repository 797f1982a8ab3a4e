/** A restore that is broken off: the next ticks finish it, or say what is left. */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { PlatformName } from '../../shared/chat/actor.ts'
import { PLATFORMS } from './chat-people.ts'
import {
  expectRestored,
  expectUntouched,
  furnish,
  look,
  prepare,
  propose,
  recordOf,
  settle,
} from './chat-scene.ts'
import type { ChatStage } from './chat-stage.ts'

export function breaking(stageOf: () => ChatStage): void {
  const confirmed = async (platform: PlatformName, name: string): Promise<string> => {
    const stage = stageOf()
    const snapshot = await prepare(stage, name)
    await propose(stage, platform, name, snapshot)
    await stage.press(platform, 'Confirm', 'anna')
    return snapshot
  }

  test('a Worker that dies before it begins a restore: that is told, and nothing was done', async () => {
    const stage = stageOf()
    const name = 'web-dies-before'
    stage.worker.dieAt({ call: 'restore', when: 'before' })
    const snapshot = await confirmed('slack', name)
    await stage.worker.untilDead()
    const told = await settle(stage, 'slack', new RegExp(`restore ${name} \\S+ has ended`))
    expect(told.text).toContain('it was not seen to begin: request it again')
    await expectUntouched(stage, name, 1)
    const record = await recordOf(stage, `restore ${name} ${snapshot}`)
    expect(record.outcome?.state).toBe('failed')
  })

  test.for(PLATFORMS)(
    'a Worker that dies when it has begun a restore asked for on %s: its end is told',
    async (platform) => {
      const stage = stageOf()
      const name = `web-dies-after-${platform}`
      stage.worker.dieAt({ call: 'restore', when: 'after' })
      const snapshot = await confirmed(platform, name)
      await stage.worker.untilDead()
      await settle(stage, platform, new RegExp(`restore ${name} .* is done`))
      await expectRestored(stage, name)
      expect((await recordOf(stage, `restore ${name} ${snapshot}`)).outcome?.state).toBe('done')
    },
  )

  test('a relay that is replaced in mid-restore', async () => {
    const stage = stageOf()
    const name = 'web-relay'
    await confirmed('mattermost', name)
    await begun(stage, name)
    await stage.relay.stop()
    await stage.relay.start()
    await settle(stage, 'mattermost', new RegExp(`restore ${name} .* is done`))
    await expectRestored(stage, name)
  })

  test('an Incus that is killed in mid-restore', async () => {
    const stage = stageOf()
    const name = 'web-killed'
    await confirmed('discord', name)
    await begun(stage, name)
    await stage.pair.main.kill()
    await stage.tick()
    await stage.pair.main.start()
    const { text } = await settle(stage, 'discord', new RegExp(`restore ${name} \\S+ (is done|has ended)`))
    // On btrfs there is a moment after which Incus itself can't begin anew: then it is said what is left.
    if (text.includes('is done')) await expectRestored(stage, name)
    else expect(text).toMatch(/interrupted restore left \S+\.incustmp on the server.*move it away/)
  })

  test('a KV that is wiped in mid-restore', async () => {
    const stage = stageOf()
    const name = 'web-wiped'
    await confirmed('slack', name)
    await begun(stage, name)
    await stage.worker.wipeKv()
    await furnish(stage)
    for (let minute = 0; minute < 5; minute++) {
      await stage.tick()
      await sleep(100)
    }
    await expectRestored(stage, name)
  })
}

/** As far as it takes to have changed something. */
const begun = (stage: ChatStage, name: string): Promise<unknown> =>
  stage.until('the safety snapshot', async () =>
    (await look(stage, name)).snapshots.some((snapshot) => snapshot.name.startsWith('before-restore-')),
  )
