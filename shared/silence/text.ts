/** A silence of the edge in words. */
import { spanOf } from '../chat/age.ts'
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
  const since = heard.at === 0 ? 'ever since it started' : `since ${minuteOf(heard.at)}`
  const who = key === '' ? 'any Worker' : `the Worker with the key "${key}"`
  const long = heard.at === 0 ? '' : ` for ${spanOf(now - heard.at)}`
  const still = word === 'still' ? 'still ' : ''
  return {
    title: `stapes: the edge is ${still}silent${long}`,
    text: [
      `The relay has not heard of ${who} ${since}${heard.at === 0 ? '' : `; it said that it comes again within ${spanOf(heard.again)}`}. Until it does, nothing is backed up, and no other alarm of stapes comes.`,
      `Is the cron trigger on, is the Worker deployed with a configuration, does KV work, and is the tunnel up? ${key === '' ? '' : 'If that key is no longer used, remove it from "keys" in relay.jsonc.'}`.trim(),
      ...view,
    ].join('\n'),
  }
}

function over(key: string, heard: Heard, told: Told | null): Said {
  const began = told?.heard ?? 0
  const long = began === 0 ? '' : ` after ${spanOf(heard.at - began)}`
  const who = key === '' ? 'a Worker' : `the Worker with the key "${key}"`
  return {
    title: `stapes: the edge is heard again${long}`,
    text: `The relay heard of ${who} at ${minuteOf(heard.at)}. Whether every promise is kept: GET /api/status, or /backup status.`,
  }
}

/** 2026-11-27 08:00 UTC. */
const minuteOf = (at: number): string => `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`
