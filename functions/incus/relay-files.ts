/** The Worker's client for files: what the relay reads of snapshots. */
import {
  type CallError,
  FILE_HEADER,
  type FileRow,
  type FilesReply,
  type FilesRequest,
} from '../../shared/relay/protocol.ts'
import { err, ok, type Result } from '../../shared/result.ts'
import { brokenOff, createPost, type PostOptions } from './post.ts'

type Wanted = Omit<FilesRequest, 'do' | 'within'>

export type RelayFiles = {
  /** What a snapshot has at a path. */
  list(wanted: Wanted): Promise<Result<FilesReply, CallError>>
  /** Its bytes. They may end with an error; then they aren't all of it. */
  get(wanted: Wanted): Promise<Result<FilesReply | FileSent, CallError>>
}

/** `size` in bytes; null: it is a tar, whose size isn't known beforehand. */
export type FileSent = {
  state: 'sent'
  itself: FileRow
  size: number | null
  bytes: ReadableStream<Uint8Array> | null
}

/** Milliseconds until an answer begins. */
const LIMIT = 60_000
/** Of them, what the relay may wait for the instance that it makes. */
const WITHIN = 25_000
/** Of a caller's time, where that is short. */
const SHARE = 0.6

export function createRelayFiles(options: PostOptions): RelayFiles {
  const { post, timeoutFor } = createPost(options)
  const bodyOf = (what: FilesRequest['do'], wanted: Wanted): string =>
    JSON.stringify({
      ...wanted,
      do: what,
      within: Math.floor(Math.min(WITHIN, timeoutFor(LIMIT) * SHARE)),
    } satisfies FilesRequest)
  return {
    async list(wanted) {
      const response = await post('/v1/files', bodyOf('list', wanted), LIMIT)
      return response.ok ? read(() => response.value.json() as Promise<FilesReply>) : response
    },
    async get(wanted) {
      // Only until it begins: all of it takes as long as it takes.
      const late = new AbortController()
      const timer = setTimeout(() => late.abort(new Error('it took too long')), timeoutFor(LIMIT))
      const response = await post('/v1/files', bodyOf('get', wanted), LIMIT, late.signal)
      clearTimeout(timer)
      return response.ok ? read(() => fileIn(response.value)) : response
    },
  }
}

async function read<T>(work: () => Promise<T>): Promise<Result<T, CallError>> {
  try {
    return ok(await work())
  } catch (cause) {
    return err(brokenOff(cause))
  }
}

async function fileIn(response: Response): Promise<FilesReply | FileSent> {
  const about = response.headers.get(FILE_HEADER)
  if (about === null) return (await response.json()) as FilesReply
  const itself = JSON.parse(about) as FileRow
  return {
    ...{ state: 'sent', itself, bytes: response.body },
    size: itself.kind === 'folder' ? null : itself.size,
  }
}
