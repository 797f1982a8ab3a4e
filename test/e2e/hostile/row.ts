/** One hostile request, and what has to come of it: never an effect. */
import type { Scene } from './scene.ts'

export type Sent = {
  path: string
  method?: string
  headers: Record<string, string>
  body?: string | ReadableStream<Uint8Array>
  /** How its platform waits for the answer; absent: nobody does. */
  waits?: Waits
}

type Waits =
  | { platform: 'slack'; kind: 'command' | 'press' }
  | { platform: 'discord'; token: string }
  | { platform: 'mattermost'; kind: 'command' | 'press' }

export type Outcome =
  /** Not let in: an error without a word about anything, and nothing at all is written or asked. */
  | { turned: 400 | 401 | 404 | 413 }
  /** Let in and answered in words, to the caller alone unless it says otherwise. */
  | { says: RegExp; to?: 'channel' | 'anybody' }
  /** The platform's machinery, not a person, gets this body. */
  | { gets: unknown }

export type Row = {
  name: string
  outcome: Outcome
  /** What is done here in preparation is not judged. */
  request(scene: Scene): Sent | Promise<Sent>
  /** Anybody could have sent it, so not even that it came is remembered. */
  anonymous?: boolean
  /** Puts back what the preparation has changed. */
  afterwards?(scene: Scene): Promise<void>
  /** Keys of KV that may be gone afterwards: a confirmation that can't be kept is not offered again. */
  spends?: RegExp
}

export const turned = (
  status: 400 | 401 | 404 | 413,
  rows: Readonly<Record<string, Row['request']>>,
): Row[] => Object.entries(rows).map(([name, request]) => ({ name, outcome: { turned: status }, request }))
