/**
 * What stapes says in chat, before any platform's form: pieces of text whose meaning is known, so that
 * each platform's encoder escapes what people wrote, and shows moments in the reader's own zone.
 */
export type Piece =
  | string
  /** Names and commands, as they are typed. */
  | { code: string }
  | { strong: string }
  /** A moment, ISO 8601: `ago` as "3 hours ago", `full` with date and time. */
  | { at: string; style: 'ago' | 'full' }
  /** Somebody of the same platform, by the id that it gave; never notifies. */
  | { user: string }

export type Text = readonly Piece[]

/** Folded where the platform can. */
export type Block = { kind: 'lines'; lines: readonly Text[] } | { kind: 'code'; text: string }

export type Button = { label: string; token: string; style: 'plain' | 'danger' }

export type Message = {
  /** `caller`: nobody else sees it. */
  to: 'caller' | 'channel'
  tone: 'good' | 'info' | 'warning' | 'bad'
  /** The short first line. */
  headline: Text
  details: readonly Block[]
  buttons: readonly Button[]
}
