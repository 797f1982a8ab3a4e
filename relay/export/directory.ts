/** A store that is a directory of the relay's machine, or mounted there. */
import { createReadStream } from 'node:fs'
import { link, mkdir, open, readdir, readFile, rename, stat, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { absent, codeOf } from './absent.ts'
import { type Identity, makeIdentity, refuseOther } from './identity.ts'
import type { Store, Writer } from './store.ts'

export function createDirectory(root: string, identity: Identity): Store {
  const place = (path: string): string => join(root, ...path.split('/'))
  const is = (): Promise<void> => refuseOther(root, identity)
  return {
    // What was written is there, or never comes.
    late: 0,
    async write(path, _expected, begun) {
      const file = place(path)
      await makeFolder(root, dirname(file), identity)
      begun('')
      return write(partialOf(file), file)
    },
    async size(path) {
      await is()
      return absent(
        stat(place(path)).then(({ size }) => size),
        null,
      )
    },
    async *open(path) {
      await is()
      yield* createReadStream(place(path))
    },
    async read(path) {
      await is()
      return absent(readFile(place(path), 'utf8'), null)
    },
    async put(path, text) {
      const file = place(path)
      await makeFolder(root, dirname(file), identity)
      // Two that write at once have files of their own.
      const partial = `${partialOf(file)}-${process.pid}-${Math.random().toString(36).slice(2)}`
      const writer = await write(partial, file)
      await writer.write(Buffer.from(text))
      try {
        await writer.end()
        return true
      } catch (error) {
        await writer.abort()
        if (codeOf(error) === 'EEXIST') return false
        throw error
      }
    },
    async list(folder, ending) {
      await is()
      return absent(
        readdir(place(folder)).then((names) =>
          names.filter((name) => name.endsWith(ending) && !name.startsWith('.')),
        ),
        [],
      )
    },
    async about(path) {
      await is()
      const there = await absent(stat(place(path)), null)
      if (there === null) return null
      return { bytes: there.size, age: Date.now() - there.mtimeMs, until: null, held: false }
    },
    async remove(path) {
      await is()
      const file = place(path)
      try {
        await absent(unlink(file), undefined)
      } catch (cause) {
        if (!['EPERM', 'EACCES', 'EROFS'].includes(codeOf(cause))) throw cause
        return `the relay may not remove ${path} (${codeOf(cause)})`
      }
      await absent(syncFolder(dirname(file)), undefined)
      return null
    },
    erase: async (path) => {
      await is()
      await absent(unlink(place(path)), undefined)
      return null
    },
    async discard(path) {
      await is()
      await absent(unlink(partialOf(place(path))), undefined)
      await absent(unlink(place(path)), undefined)
    },
  }
}

/** Not listed, and no name of an export. */
const partialOf = (file: string): string => join(dirname(file), `.${basename(file)}.partial`)

/** The directory itself isn't made: one that isn't mounted must not be filled. */
async function makeFolder(root: string, folder: string, identity: Identity): Promise<void> {
  await refuseOther(root, identity)
  await makeIdentity(root, identity)
  await mkdir(folder, { recursive: true, mode: 0o700 })
}

async function write(partial: string, file: string): Promise<Writer> {
  const handle = await open(partial, 'w', 0o600)
  let isOpen = true
  const close = async (): Promise<void> => {
    if (!isOpen) return
    isOpen = false
    await handle.close()
  }
  return {
    async write(chunk) {
      for (let at = 0; at < chunk.length; )
        at += (await handle.write(chunk, at, chunk.length - at)).bytesWritten
    },
    async end() {
      await handle.sync()
      await close()
      await place(partial, file)
      await syncFolder(dirname(file))
    },
    async abort() {
      await close()
      await absent(unlink(partial), undefined)
    },
  }
}

/** Under its name, unless there is a file of that name. */
async function place(partial: string, file: string): Promise<void> {
  await dropClaim(file)
  try {
    await link(partial, file)
    await unlink(partial)
  } catch (error) {
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(codeOf(error))) throw error
    // Without hard links the name is taken first, and then ours is put in its place.
    await (await open(file, 'wx', 0o600)).close()
    await rename(partial, file)
  }
}

/** Milliseconds for which a name may be taken without anything under it. */
const CLAIM = 60_000

/** Left by a writer that was killed between the two. */
async function dropClaim(file: string): Promise<void> {
  const there = await absent(stat(file), null)
  if (there?.size === 0 && Date.now() - there.mtimeMs > CLAIM) await absent(unlink(file), undefined)
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } catch (error) {
    // Some file systems can't do that for a folder.
    if (!['EINVAL', 'ENOTSUP', 'EOPNOTSUPP'].includes(codeOf(error))) throw error
  } finally {
    await handle.close()
  }
}
