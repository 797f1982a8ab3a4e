/** A silence of the edge in words. */

import { spanOf } from '../chat/age.ts'
import { minuteText } from '../minute.ts'
import type { Heard, Told, Word } from './silence.ts'

export type Said = { title: string; text: string }

/** `key`: the keyid that the Worker signs with; empty: no Worker was ever heard. `view`: what Incus shows. */
export function sayOf(
  word: Word,
  {
    key,
    heard,
    told,
    view,
    now,
  }: { key: string; heard: Heard; told: Told | null; view: readonly string[]; now: number },
): Said {
  if (word === 'over') return over(key, heard, told)
  const isFirst = heard.at === 0
  const who = key === '' ? 'any Worker' : `the Worker with the key "${key}"`
  const since = isFirst
    ? 'since it started'
    : `since ${minuteOf(heard.at)}; it announced its next call within ${spanOf(heard.again)}`
  const hint = key === '' ? '' : ' If that key is no longer used, remove it from "keys" in relay.jsonc.'
  return {
    title: titleOf(word, heard, now),
    text: [
      `The relay has not heard from ${who} ${since}. Meanwhile nothing is backed up, and stapes raises no other alarm.`,
      `Is the cron trigger on, is the Worker deployed with a configuration, does KV work, and is the tunnel up?${hint}`,
      ...view,
    ].join('\n'),
  }
}

function titleOf(word: Word, { at }: Heard, now: number): string {
  if (at === 0) return `stapes: the edge was never heard from${word === 'still' ? ' yet' : ''}`
  const long = spanOf(now - at)
  return word === 'still'
    ? `stapes: the edge is still silent, after ${long}`
    : `stapes: the edge has been silent for ${long}`
}

function over(key: string, heard: Heard, told: Told | null): Said {
  const began = told?.heard ?? 0
  const long = began === 0 ? '' : `, after ${spanOf(heard.at - began)} of silence`
  const who = key === '' ? 'a Worker' : `the Worker with the key "${key}"`
  return {
    title: `stapes: the edge is back${long}`,
    text: `The relay heard from ${who} at ${minuteOf(heard.at)}. Whether every promise is kept: GET /api/status, or /backup status.`,
  }
}

const minuteOf = (at: number): string => minuteText(new Date(at).toISOString())
