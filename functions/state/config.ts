/** The applied configuration in KV: the document as it was given, and what it was parsed to. */

import type { Installation } from '../../shared/plan/installation.ts'
import { type FoundConfig, parseStored, type StoredConfig } from '../../shared/policy/stored.ts'
import type { State } from './ledger.ts'

export type { StoredConfig }

export const beganOf = ({ appliedAt, version, began }: StoredConfig): NonNullable<StoredConfig['began']> =>
  began ?? { at: appliedAt, nonce: version }

/** `keyDigest`: a digest of the key to the relay. */
export function installationOf(stored: StoredConfig, keyDigest: string): Installation {
  const { at, nonce } = beganOf(stored)
  return { born: new Date(at).getTime(), nonce, keyDigest }
}

const KEY = 'config'

/** With its problems; never throws for what is stored. */
export const findConfig = async (state: Pick<State, 'get'>): Promise<FoundConfig> =>
  configIn(await readText(state))

export const readText = (state: Pick<State, 'get'>): Promise<string | null> => state.get(KEY)

/** What was parsed last: it mostly stays the same from tick to tick, and nobody changes what comes of it. */
let parsed: { text: string; found: FoundConfig } | null = null

export function configIn(text: string | null): FoundConfig {
  if (text === null) return { stored: null, pauses: {}, problems: [] }
  if (parsed?.text !== text) parsed = { text, found: parse(text) }
  return parsed.found
}

function parse(text: string): FoundConfig {
  try {
    return parseStored(JSON.parse(text) as unknown)
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause
    return parseStored(null)
  }
}

/** Null: nothing was applied, or it can't be read. */
export const readConfig = async (state: Pick<State, 'get'>): Promise<StoredConfig | null> =>
  (await findConfig(state)).stored

/** Milliseconds. */
const RECENT = 30_000

type Recent = { at: number; stored: StoredConfig | null }
type Reader = Pick<KVNamespace, 'get'>

let recent = new WeakMap<Reader, Recent>()

/**
 * As this isolate has read it in the last half minute, and still `suffices`; else read now. A flood of requests
 * then costs no more reads than a few.
 */
export async function readRecentConfig(
  kv: Reader,
  now: Date,
  suffices: (stored: StoredConfig | null) => boolean,
): Promise<StoredConfig | null> {
  const last = recent.get(kv)
  const age = now.getTime() - (last?.at ?? 0)
  if (last !== undefined && age >= 0 && age < RECENT && suffices(last.stored)) return last.stored
  const stored = await readConfig(kv)
  recent.set(kv, { at: now.getTime(), stored })
  return stored
}

export async function writeConfig(state: State, { problems: _, ...stored }: StoredConfig): Promise<void> {
  await state.put(KEY, JSON.stringify(stored))
  recent = new WeakMap()
}
