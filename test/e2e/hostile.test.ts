/** Requests that nobody honest sends, and wishes that were not granted: none of them has an effect. */
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, describe, expect, test } from 'vitest'
import { confirmations } from './hostile/confirmations.ts'
import { discordDoor } from './hostile/discord-door.ts'
import { judge, stateOf } from './hostile/judge.ts'
import { mattermostDoor } from './hostile/mattermost-door.ts'
import { people } from './hostile/people.ts'
import type { Row } from './hostile/row.ts'
import { openScene, type Scene } from './hostile/scene.ts'
import { slackDoor } from './hostile/slack-door.ts'
import { text } from './hostile/text.ts'
import { FRESH, PLATFORMS } from './hostile/world.ts'

let scene: Scene
beforeAll(async () => {
  scene = await openScene()
  return () => scene.stage.close()
})

const TABLES: Record<string, Row[]> = {
  'Slack’s door': slackDoor,
  'Discord’s door': discordDoor,
  'Mattermost’s doors': mattermostDoor,
  people,
  text,
  confirmations,
}

describe.for(Object.entries(TABLES))('%s', ([, rows]) => {
  test.for(rows.map((row) => [row.name, row] as const))('%s', async ([, row]) => {
    expect(await judge(row, scene)).toEqual([])
  })
})

describe('afterwards', () => {
  test('nothing that was begun goes on', async () => {
    const { incus, kv, called, sent } = await stateOf(scene)
    await sleep(1000)
    expect(await stateOf(scene)).toMatchObject({ incus, kv, called, sent })
  })

  // Without this, whatever broke the honest request would pass for a closed door.
  test.for(PLATFORMS)('the request that the rows on %s are made of has its effect', async (platform) => {
    const [before, count] = [await stateOf(scene), scene.sent.length]
    await scene.perform(scene.command(platform, `now ${FRESH[PLATFORMS.indexOf(platform)]}`, 'operator'))
    expect((await stateOf(scene)).incus).not.toBe(before.incus)
    expect(scene.sent.length).toBeGreaterThan(count)
  })
})
