/** /backup restore, from the question through somebody's word to the instance that was restored. */
import { describe, expect, test } from 'vitest'
import { createConfirmations } from '../../functions/chatops/confirmations.ts'
import { parseToken } from '../../shared/access/token.ts'
import type { PlatformName } from '../../shared/chat/actor.ts'
import { PLATFORMS, placeOn, principalOf } from './chat-people.ts'
import {
  confirm,
  expectRestored,
  expectUntouched,
  expireNow,
  history,
  NEW,
  OLD,
  prepare,
  propose,
  recordOf,
  settle,
  take,
  takeByHand,
} from './chat-scene.ts'
import type { Button, Guise } from './chat-side.ts'
import type { ChatStage } from './chat-stage.ts'
import { nextSecond } from './stage.ts'

export function restoring(stageOf: () => ChatStage): void {
  describe('a restore', () => {
    // A real container takes its time to start and stop: it need not on every platform.
    test.for([
      ['slack', true],
      ['discord', false],
      ['mattermost', false],
    ] as const)(
      'asked for on %s is confirmed by a second person, and ends as it began (running: %s)',
      async ([platform, running]) => {
        const stage = stageOf()
        const name = `db-${platform}`
        const snapshot = await prepare(stage, name, { running })
        const plan = await propose(stage, platform, name, snapshot)
        expect(plan.text).toMatch(/restores 1 instance and takes 1 snapshot/)
        expect(plan.text).toMatch(/before-restore-\d{8}T\d{4}Z/)

        await stage.press(platform, 'Confirm', 'anna')
        const refusal = await stage.until('the refusal', () =>
          stage.read(platform).find(({ text }) => text.includes(`you requested it yourself`)),
        )
        expect(refusal.to).toBe('caller')
        expect(stage.read(platform)).toContainEqual(plan)
        await stage.press(platform, 'Confirm', 'vera')
        await expectUntouched(stage, name, 1)

        await confirm(stage, platform, name, 'ben')
        const end = await settle(
          stage,
          platform,
          new RegExp(`restore ${name} .* is done: 1 instance restored`),
        )
        expect(end.buttons).toEqual([])
        expect(stage.read(platform).flatMap(({ buttons }) => buttons)).toEqual([])
        await expectRestored(stage, name, { running })
        expect(await recordOf(stage, `restore ${name} ${snapshot}`)).toMatchObject({
          askedBy: principalOf(platform, 'anna'),
          who: principalOf(platform, 'ben'),
          plan: expect.stringMatching(/^[\w-]{11}$/),
          instances: [`main/default/${name}`],
          outcome: { state: 'done' },
        })
      },
    )

    test.for(PLATFORMS)(
      'that needs no second person is confirmed on %s by the asker alone',
      async (platform) => {
        const stage = stageOf()
        const name = `web-self-${platform}`
        await propose(stage, platform, name, await prepare(stage, name))
        await stage.press(platform, 'Confirm', 'ben')
        await stage.until('the refusal', () =>
          stage
            .read(platform)
            .find(({ to, text }) => to === 'caller' && /only anna, who requested/.test(text)),
        )
        await confirm(stage, platform, name, 'anna')
        await settle(stage, platform, new RegExp(`restore ${name} .* is done`))
        await expectRestored(stage, name)
      },
    )

    test.for(PLATFORMS)(
      'that is cancelled on %s does nothing, and can be confirmed no more',
      async (platform) => {
        const stage = stageOf()
        const name = `web-cancel-${platform}`
        const snapshot = await prepare(stage, name)
        const { buttons } = await propose(stage, platform, name, snapshot)
        await stage.press(platform, 'Cancel', 'ben')
        const said = await stage.until('the end', () =>
          stage.read(platform).find(({ text }) => text.includes(name) && text.includes('was cancelled by')),
        )
        expect(said.buttons).toEqual([])
        await refuses(stage, platform, buttons[0], 'anna', /already confirmed or cancelled/)
        await expectUntouched(stage, name, 1)
        expect((await history(stage)).map(({ what }) => what)).not.toContain(`restore ${name} ${snapshot}`)
      },
    )

    test.for(PLATFORMS)('whose time is over can not be confirmed on %s', async (platform) => {
      const stage = stageOf()
      const name = `web-late-${platform}`
      const { buttons } = await propose(stage, platform, name, await prepare(stage, name))
      const forged = await outdated(stage, platform, buttons[0]?.token)
      await refuses(stage, platform, buttons[0], 'anna', /has expired/, { forged })
      await expectUntouched(stage, name, 1)
    })

    test.for(PLATFORMS)('confirmed twice at once on %s is done once', async (platform) => {
      const stage = stageOf()
      const name = `web-twice-${platform}`
      await propose(stage, platform, name, await prepare(stage, name))
      const refusals = (): number =>
        stage.read(platform).filter(({ text }) => text.includes('already confirmed or cancelled')).length
      const before = refusals()
      await Promise.all([confirm(stage, platform, name, 'anna'), stage.press(platform, 'Confirm', 'anna')])
      await stage.until('the other’s refusal', () => refusals() === before + 1)
      await settle(stage, platform, new RegExp(`restore ${name} .* is done`))
      await expectRestored(stage, name)
    })

    test('is planned anew where the instance was stopped meanwhile, and needs another word', async () => {
      const stage = stageOf()
      const platform = 'mattermost'
      const name = 'db-changed'
      const snapshot = await prepare(stage, name, { running: true })
      const { buttons } = await propose(stage, platform, name, snapshot)
      await stage.pair.main.setRunning({ name }, false)
      const anew = await confirm(stage, platform, name, 'ben')
      expect(anew.text).toMatch(/Nothing was done yet.*has changed: 1 line gone and 1 line new/)
      await expectUntouched(stage, name, 1)
      await refuses(stage, platform, buttons[0], 'ben', /already confirmed or cancelled/)
      // The new plan is still anna's.
      await refuses(stage, platform, anew.buttons[0], 'anna', /you requested it yourself/)
      await confirm(stage, platform, name, 'ben')
      await settle(stage, platform, new RegExp(`restore ${name} .* is done`))
      await expectRestored(stage, name)
    })

    test('to a held snapshot whose volume is gone keeps the hold, and tells that it is stopped and why', async () => {
      const stage = stageOf()
      const { main } = stage.pair
      const name = 'web-volume'
      await main.createInstance({ name, running: true })
      await main.setRunning({ name }, false)
      const detach = await main.attachVolume({ name }, 'archive')
      await main.write({ name }, OLD, 1000)
      const snapshot = await take(stage, name)
      await detach()
      await main.write({ name }, NEW, 1000)
      await main.setRunning({ name }, true)
      await stage.ask('slack', `hold ${name} ${snapshot} for the auditor`, 'anna')
      await propose(stage, 'slack', name, snapshot)
      await confirm(stage, 'slack', name, 'anna')
      const end = await settle(stage, 'slack', new RegExp(`restore ${name} .* has ended: 1 restore failed`))
      expect(end.text).toMatch(/it is stopped.*Storage volume not found.*incus start web-volume/s)
      await expectRestored(stage, name)
      const again = await stage.ask('slack', `hold ${name} ${snapshot}`, 'anna')
      expect(again.text).toMatch(/already held: for the auditor/)
    })

    test('whose snapshot is gone meanwhile is refused', async () => {
      const stage = stageOf()
      const name = 'web-gone'
      const snapshot = await prepare(stage, name)
      await nextSecond()
      await takeByHand(stage, name)
      await propose(stage, 'discord', name, snapshot)
      await expireNow(stage, name, snapshot)
      const said = await confirm(stage, 'discord', name, 'anna')
      expect(said).toMatchObject({
        buttons: [],
        text: expect.stringContaining('is refused, and nothing was changed'),
      })
      await expectUntouched(stage, name, 1)
    })
  })
}

/** The same token as it would be, had it been issued half an hour ago. */
async function outdated({ relayKey }: ChatStage, platform: PlatformName, token = ''): Promise<string> {
  const { verb, id, digest } = parseToken(token) ?? expect.fail(`no token: ${token}`)
  const confirmations = await createConfirmations(relayKey)
  const until = new Date(Date.now() - 1000)
  return confirmations.issue({ verb, id, digest, until, place: placeOn(platform) })
}

async function refuses(
  stage: ChatStage,
  platform: PlatformName,
  button: Button | undefined,
  who: 'anna' | 'ben',
  why: RegExp,
  guise: Guise = {},
): Promise<void> {
  const before = stage.read(platform).length
  await stage.press(platform, button ?? expect.fail('there was no button'), who, guise)
  const said = await stage.until('a refusal', () => stage.read(platform)[before])
  expect(said).toMatchObject({ to: 'caller', text: expect.stringMatching(why) })
}
