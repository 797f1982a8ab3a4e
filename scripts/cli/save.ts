/** Writes a file here: whole, or not at all. */
import { randomUUID } from 'node:crypto'
import { constants, createWriteStream } from 'node:fs'
import { copyFile, link, rm } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

/** Under another name until it is whole, also where this process is ended. Throws where it broke off, or where `file` exists. */
export async function save(bytes: Readable, file: string): Promise<void> {
  const part = `${file}.${randomUUID().slice(0, 8)}.part`
  try {
    await pipeline(bytes, createWriteStream(part, { flags: 'wx' }))
    await link(part, file).catch((error: unknown) => {
      if (isThere(error)) throw error
      // Not every file system has links.
      return copyFile(part, file, constants.COPYFILE_EXCL)
    })
  } finally {
    await rm(part, { force: true })
  }
}

const isThere = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'EEXIST'
