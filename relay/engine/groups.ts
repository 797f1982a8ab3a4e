/**
 * Snapshots of several subjects that are taken as one. What they need to be ended well is noted in the journal before
 * anything is done: whatever is cut off, what stands still runs again, and what was made of a part of them is removed.
 */
import { withAnswer } from '../../shared/answered.ts'
import type { Clock } from '../../shared/clock.ts'
import type { InstanceRecord, RemoteInventory } from '../../shared/incus/inventory.ts'
import { type InstanceRef, instanceOf, remoteOf, subjectKey } from '../../shared/incus/subject.ts'
import { PAUSING } from '../../shared/policy/marks.ts'
import type { CallError } from '../../shared/relay/protocol.ts'
import { err, type Result } from '../../shared/result.ts'
import { incusCommand } from '../../shared/shell.ts'
import type { Owner } from './busy.ts'
import { brokenBy } from './call.ts'
import type { Journal } from './journal.ts'
import type { NotedGroup } from './journal-state.ts'
import { pausedSince } from './pause-mark.ts'
import type { Seal } from './seal.ts'

/**
 * `since`: in milliseconds since the epoch. `paused`: those of its members that stand still for it. `mine`: those whose
 * snapshot of that name may be the one that was asked for; absent: all, as far as is known. `asked`: when the snapshots were;
 * absent: earlier versions didn't note it. `hook`: the one that makes `paused` ready instead of standing still.
 */
export type Group = {
  snapshot: string
  members: readonly InstanceRef[]
  mine?: readonly InstanceRef[]
  paused: readonly InstanceRef[]
  since: number
  asked?: number
  hook?: string
}

export type Groups = {
  /** Null: they are this job's from now on. Else why not: another one has some of them. */
  claim(by: Owner, group: Pick<Group, 'snapshot' | 'members'>, pauses: boolean): CallError | null
  release(by: Owner): void
  /** Written at once; false: it can't be, so nothing may be begun. */
  begin(group: Group): boolean
  /** Each member has its snapshot. */
  done(group: Group): void
  /** Runs again what stands still for it, and removes what was made. Null: nothing is left of it. */
  undo(group: Group): Promise<CallError | null>
  /** Ends what a group of that name has left of it first: what is taken under that name since would go with it. */
  clear(ref: InstanceRef, snapshot: string): Promise<CallError | null>
  /** It is taken as one of several just now; null: it isn't. */
  whileTaken(ref: InstanceRef): CallError | null
  /** Whether that snapshot is one of those that another job takes just now. */
  isTaking(ref: InstanceRef, snapshot: string, by: Owner): boolean
  /** It has stood still until then (milliseconds since the epoch), for so many milliseconds. */
  noteRun(ref: InstanceRef, paused: number): void
  /** It is paused by the relay, or was just now: what is done about it, and whether that was well. Null: it isn't. */
  resuming(ref: InstanceRef): Promise<Result<null, CallError>> | null
  /** `project/instance/snapshot` of those on the remote that may have been left by one that was cut off. */
  left(remote: string): string[]
  /** The inventory with what is being taken; what was cut off is ended. */
  sweep(remote: string, inventory: RemoteInventory): RemoteInventory
}

/** Whoever ends a group: what that removes is nobody else's. */
export const ENDING: Owner = { id: 'what is left of a group' }

/** How a group that was cut off is ended. Null: nothing is left of it. */
type Ending = {
  undo(group: Group): Promise<CallError | null>
  resume(ref: InstanceRef): Promise<Result<null, CallError>>
}

/** Milliseconds until it is tried again by itself: at first soon. After so many tries each look tries it. */
const SOON = 1_000
const AGAIN = 15_000
const TRIES = 40

const delayAfter = (tried: number): number => Math.min(AGAIN, SOON * 2 ** tried)

const idOf = ({ snapshot, members }: Pick<Group, 'snapshot' | 'members'>): string =>
  `${members[0] === undefined ? '' : subjectKey(members[0])}/${snapshot}`

const notedOf = ({ members, mine, paused, since, asked, hook }: Group): NotedGroup => ({
  members: members.map(subjectKey),
  ...(mine === undefined ? {} : { mine: mine.map(subjectKey) }),
  paused: paused.map(subjectKey),
  since,
  ...(asked === undefined ? {} : { asked }),
  ...(hook === undefined ? {} : { hook }),
})

const groupOf = (id: string, { members, mine, paused, since, asked, hook }: NotedGroup): Group => ({
  snapshot: id.slice(id.lastIndexOf('/') + 1),
  members: members.map(instanceOf),
  ...(mine === undefined ? {} : { mine: mine.map(instanceOf) }),
  paused: paused.map(instanceOf),
  since,
  ...(asked === undefined ? {} : { asked }),
  ...(hook === undefined ? {} : { hook }),
})

export function createGroups(known: { seal: Seal; journal: Journal; clock: Clock }, ending: Ending): Groups {
  const { journal, clock, seal } = known
  /** Snapshots that are being taken, by the key of their subject. */
  const taking = new Map<string, { snapshot: string; by: Owner }>()
  /** When each stood still last: until then, and for so many milliseconds. */
  const rested = new Map<string, { until: number; paused: number }>()
  /** When the relay let it run again by itself. */
  const resumedAt = new Map<string, number>()
  const endings = new Map<string, Promise<CallError | null>>()
  const resumes = new Map<string, Promise<Result<null, CallError>>>()
  /** Why it could not be ended, by id. */
  const failed = new Map<string, string>()

  const isLive = ({ members }: NotedGroup): boolean => members.some((key) => taking.has(key))
  const undo = (group: Group): Promise<CallError | null> => {
    const id = idOf(group)
    const under = endings.get(id)
    if (under !== undefined) return under
    const now = ending
      .undo(group)
      .catch((cause: unknown) => brokenBy(cause))
      .then((error) => {
        endings.delete(id)
        if (error === null) {
          failed.delete(id)
          journal.dropGroup(id)
        } else failed.set(id, error.message)
        return error
      })
    endings.set(id, now)
    return now
  }
  const resumeNow = (ref: InstanceRef): Promise<Result<null, CallError>> => {
    const key = subjectKey(ref)
    const under = resumes.get(key)
    if (under !== undefined) return under
    const now = ending
      .resume(ref)
      .catch((cause: unknown) => err(brokenBy(cause)))
      .then((result) => {
        resumes.delete(key)
        if (result.ok) resumedAt.set(key, clock.now())
        return result
      })
    resumes.set(key, now)
    return now
  }
  const undoAgain = async (id: string, tries: number): Promise<void> => {
    const noted = journal.groups().get(id)
    if (noted === undefined) return
    const error = isLive(noted) ? null : await undo(groupOf(id, noted))
    if (error !== null && tries > 1)
      clock.after(delayAfter(TRIES - tries), () => void undoAgain(id, tries - 1))
  }
  for (const id of journal.groups().keys()) clock.after(0, () => void undoAgain(id, TRIES))

  return {
    claim(by, { snapshot, members }, pauses) {
      const keys = members.map(subjectKey)
      const other = keys.find((key) => taking.has(key))
      if (other !== undefined) return locked(other, `${taking.get(other)?.snapshot} of it is being taken`)
      // What that removes may have the very name that is taken now.
      const ended = [...endings.keys()].flatMap((id) => journal.groups().get(id)?.members ?? [])
      const under = keys.find((key) => ended.includes(key))
      if (under !== undefined) return locked(under, 'what an earlier try has left is removed')
      const tired = pauses
        ? keys.find((key) => {
            const last = rested.get(key)
            return last !== undefined && clock.now() - last.until < last.paused
          })
        : undefined
      if (tired !== undefined) return locked(tired, 'it stood still until just now')
      for (const key of keys) taking.set(key, { snapshot, by })
      return null
    },
    release(by) {
      for (const [key, one] of taking) if (one.by === by) taking.delete(key)
    },
    begin: (group) => journal.noteGroup(idOf(group), notedOf(group)),
    done: (group) => journal.dropGroup(idOf(group)),
    async undo(group) {
      // What is somebody else's stays, also where a restarted relay ends it.
      journal.noteGroup(idOf(group), notedOf(group))
      const error = await undo(group)
      if (error !== null) clock.after(delayAfter(0), () => void undoAgain(idOf(group), TRIES))
      return error
    },
    async clear(ref, snapshot) {
      const key = subjectKey(ref)
      for (const [id, noted] of journal.groups()) {
        const group = groupOf(id, noted)
        if (group.snapshot !== snapshot || !noted.members.includes(key)) continue
        if (isLive(noted)) return locked(key, `${snapshot} of it is being taken`)
        const error = await undo(group)
        if (error !== null) return error
      }
      return null
    },
    whileTaken(ref) {
      const key = subjectKey(ref)
      const one = taking.get(key)
      return one === undefined ? null : locked(key, `${one.snapshot} of it is being taken`)
    },
    isTaking(ref, snapshot, by) {
      const one = taking.get(subjectKey(ref))
      return one?.snapshot === snapshot && by !== one.by && by !== ENDING
    },
    noteRun: (ref, paused) => void rested.set(subjectKey(ref), { until: clock.now(), paused }),
    resuming(ref) {
      const key = subjectKey(ref)
      if (taking.has(key)) return Promise.resolve(err(locked(key, 'it stands still for a snapshot')))
      const under = resumes.get(key)
      if (under !== undefined) return under
      const noted = [...journal.groups()].find(([, { paused }]) => paused.includes(key))
      if (noted !== undefined) return resumeNow(ref)
      return clock.now() - (resumedAt.get(key) ?? Number.NEGATIVE_INFINITY) < JUST_NOW
        ? Promise.resolve({ ok: true, value: null })
        : null
    },
    left: (remote) =>
      [...journal.groups()].flatMap(([id, noted]) => {
        const { snapshot } = groupOf(id, noted)
        const mine = (noted.mine ?? noted.members).filter((key) => remoteOf(key) === remote)
        return isLive(noted) ? [] : mine.map((key) => `${key.slice(remote.length + 1)}/${snapshot}`)
      }),
    sweep(remote, inventory) {
      const told: string[] = []
      const noted = new Set<string>()
      for (const [id, group] of journal.groups()) {
        for (const key of group.paused) noted.add(key)
        if (remoteOf(id) !== remote || isLive(group)) continue
        const why = failed.get(id)
        if (why !== undefined) told.push(notEnded(groupOf(id, group), why))
        void undo(groupOf(id, group))
      }
      // The journal was lost, or somebody restored a snapshot that was taken meanwhile.
      for (const record of inventory.instances) {
        const ref = refOf(remote, record)
        const key = subjectKey(ref)
        if (!record.own.includes(PAUSING) || noted.has(key) || taking.has(key)) continue
        if (pausedSince(ref, record.config, seal) !== null) void resumeNow(ref)
      }
      const all = [...taking].flatMap(([key, { snapshot }]) =>
        remoteOf(key) === remote ? [`${key.slice(remote.length + 1)}/${snapshot}`] : [],
      )
      const leftovers = [...(inventory.leftovers ?? []), ...told]
      return {
        ...inventory,
        ...(all.length === 0 ? {} : { taking: all }),
        ...(leftovers.length === 0 ? {} : { leftovers }),
      }
    },
  }
}

/** Milliseconds within which whoever saw it stand still may ask to have it run. */
const JUST_NOW = 300_000

const refOf = (remote: string, { project, name }: InstanceRecord): InstanceRef => ({
  remote,
  project,
  instance: name,
})

const locked = (key: string, why: string): CallError => ({
  code: 'locked',
  message: `${key}: ${why}; try again when that has ended`,
})

/** By keys: nobody is to read of what they may not see. */
const notEnded = ({ snapshot, members, paused, hook }: Group, why: string): string => {
  const hands = paused.map(({ project, instance }) => incusCommand(project, 'resume', instance)).join('; ')
  const text = `a group of snapshots ${snapshot} of ${members.map(subjectKey).join(', ')} was cut off and could not be ended; it is tried again with each look, and counts for nothing`
  if (hook !== undefined)
    return withAnswer(`${text}. The command after of the hook "${hook}" may not have been run`, why)
  return withAnswer(hands === '' ? text : `${text}. If an instance of it stands still: ${hands}`, why)
}
