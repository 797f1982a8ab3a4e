/** What a broken or hostile server says, and what is known of it then. */
import { instance, type Lie } from '../lying-server.ts'

/**
 * `nothing`: the remote is unknown; `less`: its instance is listed with unknown snapshots; `others`: that one is
 * left out and named; `all`: as if it hadn't lied.
 */
export type Known = 'nothing' | 'less' | 'others' | 'all'

export type Told = { lie: Lie; known: Known; why?: RegExp }

export const MB = 1024 * 1024
/** A lone surrogate, in JSON. */
export const LONE = '\\ud800'

export const asText = (record: object): string => JSON.stringify(record)
export const named = (name: string): string => asText(instance()).replace('"web"', `"${name}"`)
export const head = (more: string): string =>
  `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n${more}\r\n`
