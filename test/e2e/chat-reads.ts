/** What /backup tells: to whoever asks, and to nobody else. */
import { expect, test } from 'vitest'
import { PLATFORMS, principalOf } from './chat-people.ts'
import { prepare, snapshotsOf, take } from './chat-scene.ts'
import type { ChatStage } from './chat-stage.ts'

/** By line: what its answer has to say. `NAME` is an instance with one snapshot, `SNAPSHOT`. */
const ANSWERS: readonly (readonly [line: string, says: RegExp])[] = [
  ['status', /The next slot is at|Not all is well/],
  ['status NAME', /NAME`: .*(promise|first backup)/],
  ['list', /NAME`: 1 snapshot, newest \d+ \w+ old/],
  ['list NAME', /SNAPSHOT`: \d+ \w+ old.*taken on request/],
  ['plan', /main\/default\/NAME\n {2}= SNAPSHOT {2}taken on request/],
  ['missed', /No slot that the ledger knows of was missed/],
  ['policies', /`guarded`: `0 0 1 1 \*` UTC, keeps the last 3/],
  ['history', /anna: `now NAME` – done: 1 of 1/],
  ['help', /`restore` – Restore an instance to one of its snapshots/],
  ['help restore', /has to be confirmed/],
]

export function reading(stageOf: () => ChatStage): void {
  test.for(PLATFORMS)(
    'reading on %s is for everybody who may look, and seen by nobody else',
    async (platform) => {
      const stage = stageOf()
      const name = `web-read-${platform}`
      await stage.pair.main.createInstance({ name })
      const snapshot = await take(stage, name)
      for (const [line, says] of ANSWERS) {
        const fill = (text: string) => text.replaceAll('NAME', name).replaceAll('SNAPSHOT', snapshot)
        const said = await stage.ask(platform, fill(line), 'vera')
        expect({ line, to: said.to, text: said.text }).toEqual({
          line,
          to: 'caller',
          text: expect.stringMatching(new RegExp(fill(says.source))),
        })
        expect(said.buttons).toEqual([])
      }
      expect(await snapshotsOf(stage, name)).toEqual([snapshot])
    },
  )

  test.for(PLATFORMS)(
    'the doctor on %s is for whoever may change something, and says what to do',
    async (platform) => {
      const stage = stageOf()
      expect((await stage.ask(platform, 'doctor', 'vera')).text).not.toContain('To do:')
      const said = await stage.ask(platform, 'doctor', 'anna')
      expect([said.to, said.text]).toEqual(['caller', expect.stringMatching(/channels-none.*To do: add/)])
    },
  )

  test.for(PLATFORMS)(
    'a plan of another command on %s shows what that would do, and does nothing',
    async (platform) => {
      const stage = stageOf()
      const name = `web-plan-${platform}`
      const snapshot = await prepare(stage, name)
      const said = await stage.ask(platform, `plan restore ${name} ${snapshot}`, 'anna')
      expect(said).toMatchObject({
        to: 'caller',
        buttons: [],
        text: expect.stringContaining('before-restore-'),
      })
      expect(await snapshotsOf(stage, name)).toEqual([snapshot])
    },
  )

  test.for(PLATFORMS)(
    '%s tells everybody who they are, and those whom nobody granted anything how to get it',
    async (platform) => {
      const stage = stageOf()
      const known = await stage.ask(platform, 'whoami', 'olaf')
      expect(known.text).toMatch(/operator: all commands of the role operator on olaf/)
      const unknown = await stage.ask(platform, 'whoami', 'stranger')
      expect(unknown.text).toContain(principalOf(platform, 'stranger'))
      expect(unknown.text).toContain('"role": "viewer"')
      expect(await stage.ask(platform, 'list', 'stranger')).toMatchObject({
        to: 'caller',
        text: expect.stringContaining('no grant in stapes.jsonc names you'),
      })
    },
  )

  test.for(['slack', 'mattermost'] as const)(
    'a slip of the finger on %s is answered with what was meant',
    async (platform) => {
      const said = await stageOf().ask(platform, 'satus', 'vera')
      expect(said).toMatchObject({ to: 'caller', text: expect.stringMatching(/status/) })
    },
  )
}
