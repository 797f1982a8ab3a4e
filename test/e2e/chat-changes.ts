/** What /backup changes without asking back, seen in Incus, in the channel and in the history. */
import { expect, test } from 'vitest'
import { PLATFORMS, principalOf } from './chat-people.ts'
import { history, prepare, recordOf, snapshotsOf, takeByHand } from './chat-scene.ts'
import type { ChatStage } from './chat-stage.ts'
import { nextSecond } from './stage.ts'

export function changing(stageOf: () => ChatStage): void {
  test.for(PLATFORMS)(
    'a snapshot asked for on %s is there, is told to all, and stands in the history',
    async (platform) => {
      const stage = stageOf()
      const name = `web-${platform}`
      await stage.pair.main.createInstance({ name })
      const said = await stage.ask(platform, `now ${name}`, 'anna')
      const snapshots = await snapshotsOf(stage, name)
      expect(snapshots).toEqual([expect.stringMatching(/^manual-\d{8}T\d{4}Z$/)])
      expect(said).toMatchObject({
        to: 'channel',
        text: expect.stringContaining(`now ${name}\` took 1 snapshot`),
      })
      expect(said.text).toContain(snapshots[0])
      expect(await recordOf(stage, `now ${name}`)).toMatchObject({
        who: principalOf(platform, 'anna'),
        from: expect.stringContaining(platform),
        outcome: { state: 'done' },
      })
      expect((await stage.ask(platform, 'history', 'vera')).text).toContain(`anna: \`now ${name}\` – done`)
    },
  )

  test.for(PLATFORMS)('a request from %s that is sent again is turned away', async (platform) => {
    const stage = stageOf()
    const name = `web-again-${platform}`
    await stage.pair.main.createInstance({ name })
    const before = stage.read(platform).length
    const { path, request } = await stage.type(platform, `now ${name}`, 'anna')
    await stage.until('the snapshot', () => stage.read(platform)[before])
    expect((await stage.send(path, request)).status).toBe(401)
    expect(stage.read(platform)).toHaveLength(before + 1)
    expect((await history(stage)).filter(({ what }) => what === `now ${name}`)).toHaveLength(1)
  })

  test('an operator of some instances may not touch the others', async () => {
    const stage = stageOf()
    await stage.pair.main.createInstance({ name: 'olaf-own' })
    await stage.pair.main.createInstance({ name: 'web-others' })
    expect((await stage.ask('discord', 'now olaf-own', 'olaf')).text).toContain('took 1 snapshot')
    expect((await stage.ask('discord', "now 'web-others'", 'olaf')).text).toMatch(/grants don.t reach/)
    expect(await snapshotsOf(stage, 'web-others')).toEqual([])
  })

  test('a hold keeps a snapshot from being expired until it is released', async () => {
    const stage = stageOf()
    const name = 'web-gone-held'
    const snapshot = await prepare(stage, name)
    await nextSecond()
    await takeByHand(stage, name)
    const held = await stage.ask('slack', `hold ${name} ${snapshot} before the upgrade`, 'anna')
    expect(held).toMatchObject({ to: 'channel', text: expect.stringContaining(snapshot) })
    expect((await stage.ask('slack', `list ${name}`, 'vera')).text).toContain('held')
    await stage.ask('mattermost', `expire ${name} --snapshot=manual-* --now`, 'anna')
    expect(stage.newest('mattermost').buttons).toEqual([])
    await stage.ask('slack', `release ${name} ${snapshot}`, 'anna')
    const plan = await stage.ask('mattermost', `expire ${name} --snapshot=manual-* --now`, 'anna')
    expect(plan).toMatchObject({ to: 'channel', text: expect.stringContaining('expires 1 snapshot') })
    await stage.press('mattermost', 'Confirm', 'anna')
    await stage.until('the end', async () => (await snapshotsOf(stage, name)).length === 1)
    await stage.until('its word', () =>
      stage.read('mattermost').find(({ text }) => text.includes(name) && text.includes('expired 1 snapshot')),
    )
  })

  test('a snapshot that was removed by its name is there until Incus removes it, and stays by an undo', async () => {
    const stage = stageOf()
    const name = 'web-gone-undone'
    const snapshot = await prepare(stage, name)
    await nextSecond()
    await takeByHand(stage, name)
    await stage.ask('slack', `expire ${name} --snapshot=manual-*`, 'anna')
    await stage.press('slack', 'Confirm', 'anna')
    await stage.until('its mark', async () =>
      (await stage.ask('slack', `list ${name}`, 'vera')).text.includes('removed: goes'),
    )
    expect(await snapshotsOf(stage, name)).toHaveLength(2)
    const undone = await stage.ask('slack', `undo ${name} ${snapshot}`, 'anna')
    expect(undone).toMatchObject({ to: 'channel', text: expect.stringContaining(snapshot) })
    expect((await stage.ask('slack', `list ${name}`, 'vera')).text).not.toContain('removed: goes')
    expect((await stage.ask('slack', `undo ${name} ${snapshot}`, 'anna')).text).toContain('nothing to undo')
  })

  test.for(PLATFORMS)(
    'a policy paused on %s rests, and takes up again when it is resumed',
    async (platform) => {
      const stage = stageOf()
      const paused = await stage.ask(platform, 'pause plain 2h', 'anna')
      expect(paused).toMatchObject({
        to: 'channel',
        text: expect.stringMatching(/paused policy `plain` until/),
      })
      expect((await stage.ask(platform, 'status', 'vera')).text).toContain('`plain`: paused by anna')
      expect((await stage.ask(platform, 'policies', 'vera')).text).toMatch(/`plain`.*paused by anna/)
      const resumed = await stage.ask(platform, 'resume plain', 'ben')
      expect(resumed.text).toContain('resumed policy `plain`')
      expect((await stage.ask(platform, 'status', 'vera')).text).not.toContain('paused')
      const changed = (await history(stage)).filter(({ from }) => from.startsWith(platform))
      expect(changed.map(({ what, name, outcome }) => [what, name, outcome?.state])).toEqual(
        expect.arrayContaining([
          ['pause plain 2h', 'anna', 'done'],
          ['resume plain', 'ben', 'done'],
        ]),
      )
    },
  )
}
