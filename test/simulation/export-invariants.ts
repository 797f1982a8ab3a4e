/** What must hold of exports, by what their stores have. */
import { parseFacts } from '../../shared/promise/facts.ts'
import { exportsOf } from '../long-work.ts'
import { holderOn, type Invariant, ledgerIn, type Scene } from './invariant.ts'
import { keepers } from './keepers.ts'
import { remembered } from './remembered.ts'
import { slotOf } from './slot-book.ts'

type Own = { policy: string; subject: string; name: string; store: string }

/** Null: somebody else’s, or made before. */
function ownExport({ exports, world, span }: Scene, key: string): Own | null {
  const [store = '', subject = '', name = ''] = key.split(' ')
  const { policy, madeAt = '' } = world.stores.made.get(key)?.manifest ?? {}
  const isMade = Date.parse(madeAt) >= span.after.getTime()
  return policy !== undefined && policy in exports && isMade ? { policy, subject, name, store } : null
}

/** ISO 8601. */
const momentIn = (name: string): string =>
  name.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6.000Z')

const slotIn = ({ exports }: Scene, { policy, name }: Pick<Own, 'policy' | 'name'>): string =>
  slotOf({ [policy]: exports[policy]?.calendar ?? [] }, policy, momentIn(name))

/** Of one policy and subject, those made while the scene is watched, newest first. */
const familyOf = (scene: Scene, own: Own): string[] =>
  [...scene.world.stores.made.keys()]
    .flatMap((key) => {
      const other = ownExport(scene, key)
      return other?.policy === own.policy && other.subject === own.subject ? [other.name] : []
    })
    .sort()
    .reverse()

/** At most one export for each policy, slot and subject is ever made, of what its snapshot holds. */
export const oneExportPerSlot: Invariant = (scene, fail) => {
  const made = new Map<string, string>()
  return {
    listener: {
      exported({ key, manifest, archive }) {
        const { policy, instance, name, snapshot } = manifest
        if (policy === undefined || !(policy in scene.exports)) return
        const slot = `${instance} ${policy} ${slotIn(scene, { policy, name })}`
        const before = made.get(slot)
        if (before !== undefined) fail(`${key} is made, and ${before} is of that slot already`)
        made.set(slot, key)
        const source = holderOn(scene.world.incus.main, instance.split('/').at(-1) ?? '')
        const disk = source?.snapshots.get(snapshot.name)?.disk
        if (disk === undefined) return
        if (disk.held !== 'whole') fail(`${key} is of ${snapshot.name}, which has no data`)
        else if (!Buffer.from(archive).includes(disk.marker ?? ''))
          fail(`${key} is not what ${snapshot.name} holds`)
      },
    },
  }
}

/** The newest export of a policy never goes, nor what its keep wants. */
export const newestExportStays: Invariant = (scene, fail) => ({
  listener: {
    exportGone({ key }) {
      const own = ownExport(scene, key)
      if (own === null) return
      const family = familyOf(scene, own)
      if (family[0] === own.name) return fail(`${key} was the newest of ${own.policy} and is removed`)
      const kept = keepers(scene.exports[own.policy]?.keep ?? {}, family.map(momentIn))
      if (kept.has(momentIn(own.name))) fail(`${key} is removed, and ${own.policy} keeps it`)
    },
  },
})

const factsIn = remembered(parseFacts)

/** What is told to be exported is in its store. */
export const onlyMadeExportsCount: Invariant = (scene, fail) => {
  const isThere = (store: string, subject: string, name: string): boolean =>
    scene.world.stores.made.has(`${store} ${subject} ${name}`)
  /** Whatever came of it later. */
  const ever = new Set(scene.world.stores.made.keys())
  return {
    listener: {
      exported: ({ key }) => void ever.add(key),
    },
    step() {
      const { kv } = scene.world
      for (const [policy, { store }] of Object.entries(scene.exports)) {
        const facts = factsIn(kv.peek('promises')).facts?.subjects[policy] ?? {}
        for (const [subject, { exportName }] of Object.entries(facts))
          if (exportName !== undefined && !isThere(store, subject, exportName))
            fail(`${subject} is noted as exported to ${store} as ${exportName}, which is not there`)
      }
      for (const [key, { state, store, name }] of Object.entries(exportsOf(ledgerIn(scene.world)))) {
        const [subject = key] = key.split('>')
        if (state === 'done' && !ever.has(`${store} ${subject} ${name}`))
          fail(`${key} is noted as exported to ${store} as ${name}, which never was there`)
      }
    },
  }
}

/** Once nothing fails any more, the newest slot has its export, and there are no more than the policy keeps. */
export const exportsConverge: Invariant = (scene, fail) => ({
  end() {
    const { covered, exports, span } = scene
    for (const [policy, { store, calendar, keep }] of Object.entries(exports))
      for (const name of covered) {
        const family = familyOf(scene, { policy, store, subject: `main/default/${name}`, name: '' })
        const newest = calendar.filter((slot) => slot <= span.until).at(-1)
        const found = family[0] === undefined ? undefined : slotIn(scene, { policy, name: family[0] })
        if (found !== newest?.toISOString())
          fail(`main/${name}: the newest export of ${policy} is of ${found}, not of ${newest?.toISOString()}`)
        const most = keepers(keep, family.map(momentIn)).size
        if (family.length > most)
          fail(`main/${name}: ${policy} has ${family.length} exports, and keeps ${most}`)
      }
  },
})
