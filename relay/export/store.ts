/** Where exported files lie. Nothing in a store is ever overwritten, and a file is there whole or not at all. */

/** A file while it is written. */
export type Writer = {
  write(chunk: Uint8Array): Promise<void>
  /** The file is there, on disk, under its name. */
  end(): Promise<void>
  /** Nothing of it is left. */
  abort(): Promise<void>
}

/** What a store says of a file. */
export type FileState = {
  bytes: number
  /** Milliseconds since it was put there, by the store's own clock; null: it doesn't say. */
  age: number | null
  /** Until then it is removed for nobody (milliseconds since the epoch); null: it doesn't say so. */
  until: number | null
  /** Somebody holds it there, until they release it. */
  held: boolean
}

export type Store = {
  /** Milliseconds for which something may arrive there after it was sent, though no answer came. */
  late: number
  /** `expected`: about so many bytes come. `begun`: what `discard` needs to know, once there is something to discard. */
  write(path: string, expected: number, begun: (token: string) => void): Promise<Writer>
  /** Null: there is none. */
  size(path: string): Promise<number | null>
  /** A file of any size. */
  open(path: string): AsyncIterable<Uint8Array>
  /** A small file; null: there is none. */
  read(path: string): Promise<string | null>
  /** A small file; false: there is one already. */
  put(path: string, text: string): Promise<boolean>
  /** Names of files directly in a folder that end so. */
  list(folder: string, ending: string): Promise<string[]>
  /** What a killed relay has left of a file, and the file. */
  discard(path: string, token: string | null): Promise<void>
  /** Null: there is no such file. */
  about(path: string): Promise<FileState | null>
  /** Removes a file. Null: it is gone; else why the store keeps it, in words. */
  remove(path: string): Promise<string | null>
  /** The same by all means that the relay has, as whoever has stolen its key: past versions, and past what an administrator may pass. */
  erase(path: string): Promise<string | null>
}

/** Why a store refuses or fails, in words for people. */
export class StoreError extends Error {}
