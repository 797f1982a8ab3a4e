/** `missed`: the slots that were not served, and why. */

import { ageOf, spanOf } from '../../chat/age.ts'
import { fold } from '../../chat/details.ts'
import type { Message, Text } from '../../chat/message.ts'
import { count, cut, enumerate, spoken, typed } from '../../chat/words.ts'
import { type Ledger, SLOT_RECORDS, type SlotOutcome, type SlotRecord } from '../../ledger/ledger.ts'
import { parseDuration } from '../../schedule/duration.ts'
import type { ReadCommand } from '../command.ts'
import type { Seen } from '../seen.ts'
import { nothingConfigured } from '../unconfigured.ts'
import { HIDDEN, maySpeak } from '../visible.ts'

const DEFAULT = '7d'

export const missed: ReadCommand = {
  kind: 'read',
  name: 'missed',
  summary: 'List slots that were missed, failed or skipped, with the reasons',
  role: 'viewer',
  parameters: [
    {
      name: 'since',
      kind: 'duration',
      description: 'How far to look back; 7d by default',
      required: false,
      flag: true,
    },
  ],
  examples: ['missed', 'missed --since=2d'],
  needs: 'ledger',
  answer: ({ since = DEFAULT }, seen) => {
    if (seen.config === null) return nothingConfigured()
    const seconds = parseDuration(since)
    if (!seconds.ok) throw new Error(`not a duration: ${since}`)
    return answer(seconds.value * 1000, seen)
  },
}

/** Those of policies, and those of Incus's own schedules by their remotes. */
const slotsOf = (ledger: Ledger | null): [string, { slots: SlotRecord[] }][] => [
  ...Object.entries(ledger?.policies ?? {}),
  ...Object.entries(ledger?.incus ?? {}).map(([remote, known]): [string, { slots: SlotRecord[] }] => [
    `Incus on ${remote}`,
    known,
  ]),
]

/** A slot that was not served completely. `policy`: or whose own schedule. */
type Unserved = { policy: string; record: SlotRecord }

/** Newest first. Of failures of single instances only those that may be seen. */
export function unservedSince(ledger: Ledger | null, since: Date, maySee: Seen['maySee']): Unserved[] {
  const from = since.toISOString()
  const found = slotsOf(ledger).flatMap(([policy, { slots }]) =>
    slots
      .filter((record) => endOf(record) >= from)
      .map((record) => ({ policy, record: visible(record, maySee) }))
      .filter(({ record }) => record.outcome !== 'served' || (record.failures ?? []).length > 0),
  )
  return found.sort((a, b) => (endOf(a.record) < endOf(b.record) ? 1 : -1))
}

const endOf = ({ slot, through }: SlotRecord): string => through ?? slot

function visible(record: SlotRecord, maySee: Seen['maySee']): SlotRecord {
  const { failures, reason, paused: _, ...rest } = record
  // The failure of a whole remote may be seen by everybody.
  const seen = failures?.filter(({ instance }) => instance.split('/').length !== 3 || maySee(instance)) ?? []
  const said = reason === undefined || maySpeak(reason, maySee) ? reason : HIDDEN
  if (seen.length > 0) return { ...rest, failures: seen }
  const hidden = failures !== undefined && failures.length > 0 ? HIDDEN : said
  return { ...rest, ...(hidden === undefined ? {} : { reason: hidden }) }
}

const slotsIn = (unserved: readonly Unserved[], outcome: SlotOutcome): number =>
  unserved.reduce((sum, { record }) => sum + (record.outcome === outcome ? (record.count ?? 1) : 0), 0)

function answer(span: number, { ledger, now, maySee, room }: Seen): Message {
  const since = new Date(now.getTime() - span)
  const unserved = unservedSince(ledger, since, maySee)
  const counts = (['missed', 'failed', 'skipped', 'served'] as const).flatMap((outcome) => {
    const many = slotsIn(unserved, outcome)
    return many === 0 ? [] : [`${many} ${outcome === 'served' ? 'partly served' : outcome}`]
  })
  const blind = limits(ledger, since, now)
  const bad = slotsIn(unserved, 'missed') + slotsIn(unserved, 'failed') > 0
  return {
    to: 'caller',
    tone: bad
      ? 'bad'
      : unserved.length > 0 || ledger === null
        ? 'warning'
        : blind.length > 0
          ? 'info'
          : 'good',
    headline: [
      unserved.length > 0 ? `Slots: ${enumerate(counts)}` : none(ledger, blind.length > 0),
      ` in the last ${spanOf(span)}`,
    ],
    details: fold(
      [...limits(ledger, since, now), ...unserved.map(unservedText)],
      [typed('missed --since=1d'), ' shows fewer'],
      room,
    ),
    buttons: [],
  }
}

function none(ledger: Ledger | null, blind: boolean): string {
  if (ledger === null) return 'No tick has run yet, so nothing is known'
  return blind
    ? 'No slot that the ledger knows of was missed, failed or skipped'
    : 'No slot was missed, failed or skipped'
}

/** Says how far back the ledger reaches: before that, nothing is known. */
function limits(ledger: Ledger | null, since: Date, now: Date): Text[] {
  return Object.entries(ledger?.policies ?? {}).flatMap(([policy, known]): Text[] => {
    const oldest = known.slots.length < SLOT_RECORDS ? undefined : known.slots.at(-1)?.slot
    const from = [known.since, oldest]
      .filter((at) => at !== undefined)
      .sort()
      .at(-1)
    if (from === undefined || from <= since.toISOString()) return []
    return [[{ code: policy }, `: the ledger reaches back only ${ageOf(from, now)}`]]
  })
}

export function unservedText({ policy, record }: Unserved): Text {
  const { slot, through, outcome, reason, failures = [] } = record
  const span: Text =
    through === undefined
      ? [{ at: slot, style: 'full' }]
      : [
          count(record.count ?? 2, 'slot'),
          ' from ',
          { at: slot, style: 'full' },
          ' through ',
          { at: through, style: 'full' },
        ]
  const what = outcome === 'served' ? 'partly served' : outcome
  return [{ code: policy }, ' ', ...span, ` ${what}`, ...whyText(reason, failures)]
}

const FAILURES_SHOWN = 3

/** A slot's own reason is that of its first failure, where it has some. */
function whyText(reason: string | undefined, failures: NonNullable<SlotRecord['failures']>): Text {
  if (failures.length === 0) return reason === undefined ? [] : [': ', ...spoken(cut(reason, 200))]
  const named = failures
    .slice(0, FAILURES_SHOWN)
    .flatMap(
      (failure, index): Text => [
        index === 0 ? ': ' : '; ',
        { code: failure.instance },
        ' ',
        ...spoken(cut(failure.reason, 160)),
      ],
    )
  const hidden = failures.length - FAILURES_SHOWN
  return [...named, ...(hidden > 0 ? [`; and ${count(hidden, 'other instance')}`] : [])]
}
