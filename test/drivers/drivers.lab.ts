/** Snapshot, expiry, copies, verification and restore on each storage driver and between all of them. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Built, buildMachine } from './built.ts'
import { PAIRS, type Pair, runningOn } from './cast.ts'
import { KINDS, type Kind } from './pools.ts'
import { missingForDrivers } from './prerequisites.ts'
import { openReport } from './report.ts'
import { restore } from './restore.ts'
import { namesOf, openRounds, type Round, type Rounds } from './rounds.ts'
import { openStage, type Stage } from './stage.ts'

/** A snapshot older than the newest is restored by these; the others refuse beforehand. */
const RESTORES: readonly Kind[] = ['btrfs', 'dir', 'lvm-thin']

/** With one that is kept and one that is new, the first has expired. */
const ROUNDS = 3

const MINUTE = 60_000
/** Software emulation, beside other work. */
const SETTING_UP = 80 * MINUTE
const PASSING = 60 * MINUTE
const LONG = 10 * MINUTE

const nameOf = ({ instance }: { instance: string }): string => instance

const missing = missingForDrivers()
if (missing === null) {
  const built = await buildMachine()
  for (const version of built.versions) onVersion(built, version)
} else {
  test('the storage drivers are judged in a machine of their own', () => {
    throw new Error(`NOTHING WAS TRIED: ${missing}`)
  })
}

function onVersion(built: Built, version: string): void {
  describe(`Incus ${version}`, () => {
    let stage: Stage
    let rounds: Rounds
    const report = openReport(version)
    const shownBy = (cell: string, check: () => Promise<string>) => () => report.note(cell, check)

    beforeAll(async () => {
      stage = await openStage(built, version)
      await report.begin(stage, built)
      for (const { instance, from } of PAIRS) await stage.main.createInstance(instance, from)
      for (const kind of KINDS) {
        await stage.main.createInstance(runningOn(kind), kind)
        await stage.main.start(runningOn(kind))
      }
      process.stderr.write(`drivers: the instances are there\n`)
      rounds = openRounds(stage)
      await rounds.strike()
      await rounds.settle()
    }, SETTING_UP)
    afterAll(() => stage?.close())

    const newest = (instance: string): string | undefined => namesOf(rounds.view(instance)).at(-1)
    /** Of each verified snapshot: the round it was taken in, and the one whose data come out of it. */
    const verifiedData = async ({ instance, to }: Pair) => {
      const [copy] = rounds.view(instance).copies
      const found: { taken: Round | undefined; holds: Round | undefined }[] = []
      for (const name of copy?.verified ?? [])
        found.push({
          taken: rounds.roundOf(name),
          holds: rounds.roundWith(await stage.backup.digestInRestored(instance, name, to)),
        })
      return found
    }
    const dataIn = async (kind: Kind) =>
      rounds.roundWith(await stage.main.volumes.digestOf({ name: runningOn(kind), kind, running: true }))

    describe.each(KINDS)('on %s', (kind) => {
      test(
        'the slot is served with a snapshot, stopped or running',
        shownBy(`${kind} snapshot`, async () => {
          for (const instance of [runningOn(kind), ...PAIRS.filter(({ from }) => from === kind).map(nameOf)])
            expect(rounds.view(instance).snapshots, instance).toHaveLength(1)
          expect(await stage.main.statusOf(runningOn(kind))).toBe('Running')
          return 'yes'
        }),
        LONG,
      )
    })

    test.for(PAIRS)(
      'a first copy from $from to $to is verified, with the same data',
      { timeout: LONG },
      (pair) =>
        report.note(`${pair.from} ${pair.to} first`, async () => {
          expect(rounds.view(pair.instance).copies[0]?.verified).toEqual([newest(pair.instance)])
          expect(await verifiedData(pair)).toEqual([{ taken: 1, holds: 1 }])
          return 'yes'
        }),
    )

    test(
      'more slots strike, so that the first expires',
      async () => {
        for (let round = 1; round < ROUNDS; round++) {
          await rounds.strike()
          await rounds.settle()
        }
      },
      PASSING * (ROUNDS - 1),
    )

    test.for(PAIRS)(
      'refreshes from $from to $to are verified, with the same data in each snapshot',
      { timeout: LONG },
      (pair) =>
        report.note(`${pair.from} ${pair.to} refresh`, async () => {
          const [copy] = rounds.view(pair.instance).copies
          expect(copy?.verified).toContain(newest(pair.instance))
          const found = await verifiedData(pair)
          expect(found).toEqual(found.map(({ taken }) => ({ taken, holds: taken })))
          expect(found.map(({ taken }) => taken)).toEqual(expect.arrayContaining([2, 3]))
          return 'yes'
        }),
    )

    describe.each(KINDS)('on %s', (kind) => {
      test(
        'the oldest snapshot has expired, and the others carry a date at which Incus removes them',
        shownBy(`${kind} expiry`, async () => {
          const path = `/1.0/instances/${runningOn(kind)}/snapshots?recursion=1`
          const there = (await stage.main.run('GET', path)) as { name: string; expires_at: string }[]
          expect(there.map(({ name }) => rounds.roundOf(name)).sort()).toEqual([2, 3])
          for (const { expires_at } of there)
            expect(new Date(expires_at).getTime()).toBeGreaterThan(Date.now())
          return 'yes'
        }),
        LONG,
      )

      const way = RESTORES.includes(kind) ? 'is restored in place' : 'is refused beforehand, with a way out'
      test(
        `a snapshot that is not the newest ${way}, and the instance runs`,
        shownBy(`${kind} restore`, async () => {
          const instance = runningOn(kind)
          const older = namesOf(rounds.view(instance)).at(-2) ?? ''
          const ended = await restore(stage, instance, older)
          const isRestored = RESTORES.includes(kind)
          expect(ended, ended.reason).toMatchObject({ state: isRestored ? 'done' : 'refused' })
          expect(await stage.main.statusOf(instance)).toBe('Running')
          expect(await dataIn(kind)).toBe(isRestored ? 2 : 3)
          if (isRestored) return 'yes'
          expect(ended.reason).toContain(`${older} --as=${instance}-restored`)
          expect(rounds.roundWith(await stage.main.digestInRestored(instance, older, kind))).toBe(2)
          return 'refused beforehand; as a separate instance: yes'
        }),
        LONG,
      )
    })
  })
}
