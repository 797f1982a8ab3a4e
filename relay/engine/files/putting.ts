/**
 * Restores a file or a folder of a snapshot into its instance. Each file is written beside its place and then takes it in one
 * step, so what is there is never half of one, and no link that stands there is followed. What a folder has besides stays.
 */
import { createHash } from 'node:crypto'
import { safeText } from '../../../shared/safe-text.ts'
import type { Counting } from '../counting.ts'
import { contentsOf } from './packed.ts'
import { type Sftp, SftpError } from './sftp.ts'
import { below, type Found, kindOf, walk } from './tree.ts'
import { type Attributes, bytesOf } from './wire.ts'

/** `modes`: what lacks a bit of its mode, with the one that it should have. */
export type Put = { files: number; folders: number; links: number; leftOut: number; modes: string[] }

type Sides = { source: Sftp; target: Sftp }

/** `label`: in the names beside, the same for each try, so that the next one removes what this one left. */
export async function restoreFiles(
  { source, target }: Sides,
  start: Found,
  label: string,
  passing: Counting,
): Promise<Put> {
  await makeParents({ source, target }, start.path)
  const done: Put = { files: 0, folders: 0, links: 0, leftOut: 0, modes: [] }
  const folders: Found[] = []
  for await (const found of walk(source, start)) {
    const { kind, path } = found
    if (kind === 'other') done.leftOut += 1
    else if (kind === 'folder') {
      await putFolder(target, found)
      folders.push(found)
      done.folders += 1
    } else {
      const mode = await putBeside({ source, target }, found, besideOf(path, label), passing)
      if (mode !== null) done.modes.push(mode)
      if (kind === 'file') done.files += 1
      else done.links += 1
    }
    passing.say(`${done.files} files, ${done.folders} folders`)
  }
  // Later: what comes into a folder changes its date.
  for (const { path, attributes } of folders.reverse()) await target.setAttributes(path, attributes)
  return done
}

/** Why it can't take its place, by what is there; null: it can. */
export async function againstPlace(target: Sftp, { path, kind }: Found): Promise<string | null> {
  const there = await target.lstat(path)
  if (there === null || kindOf(there) === kind) return null
  const isFolder = kindOf(there) === 'folder' || kind === 'folder'
  return isFolder
    ? `there is ${kindOf(there) === 'folder' ? 'a folder' : 'no folder'} at ${safeText(path.toString())} now: move it away first`
    : null
}

async function putFolder(target: Sftp, found: Found): Promise<void> {
  const why = await againstPlace(target, found)
  if (why !== null) throw new SftpError(why)
  if ((await target.lstat(found.path)) === null) await target.makeFolder(found.path)
}

/** What it lacks of its mode; null: nothing. */
async function putBeside(
  { source, target }: Sides,
  found: Found,
  beside: Buffer,
  passing: Counting,
): Promise<string | null> {
  const { kind, path, attributes } = found
  const why = await againstPlace(target, found)
  if (why !== null) throw new SftpError(why)
  if ((await target.lstat(beside)) !== null) await target.remove(beside)
  let lacks: string | null = null
  try {
    if (kind === 'link') await target.makeLink(beside, await source.readLink(path))
    else {
      await target.write(beside, counted(contentsOf(source, found), passing))
      await target.setAttributes(beside, attributes)
      lacks = (await hasMode(target, beside, attributes)) ? null : modeOf(found)
    }
    await target.replace(path, beside)
    return lacks
  } catch (cause) {
    await target.remove(beside).catch(() => {})
    throw cause
  }
}

async function* counted(pieces: AsyncIterable<Buffer>, passing: Counting): AsyncGenerator<Buffer> {
  for await (const piece of pieces) {
    yield piece
    passing.add(piece.length)
  }
}

/** Incus up to 6.0.4 sets nothing beyond the permissions: a program without its set-user-ID bit fails later, and nobody knows why. */
async function hasMode(target: Sftp, path: Buffer, { mode = 0 }: Attributes): Promise<boolean> {
  const seen = (await target.lstat(path))?.mode ?? 0
  return (seen & PERMISSIONS) === (mode & PERMISSIONS)
}

const PERMISSIONS = 0o7777

const modeOf = ({ path, attributes: { mode = 0 } }: Found): string =>
  `${safeText(path.toString())} (${(mode & PERMISSIONS).toString(8)})`

/** Folders that the instance has no more, as the snapshot has them. */
async function makeParents({ source, target }: Sides, path: Buffer): Promise<void> {
  for (const parent of parentsOf(path)) {
    if ((await target.lstat(parent)) !== null) continue
    const attributes = await source.lstat(parent)
    if (attributes === null || kindOf(attributes) !== 'folder')
      throw new SftpError(
        `there is no folder ${safeText(parent.toString())} any more, and none in the snapshot`,
      )
    await target.makeFolder(parent)
    await target.setAttributes(parent, attributes)
  }
}

/** The root is always there. */
function parentsOf(path: Buffer): Buffer[] {
  const parts = path.toString().split('/').slice(1, -1)
  return parts.map((_, at) => bytesOf(`/${parts.slice(0, at + 1).join('/')}`))
}

const besideOf = (path: Buffer, label: string): Buffer => {
  const slash = path.lastIndexOf(0x2f)
  const digest = createHash('sha256').update(label).update(path).digest('hex')
  return below(path.subarray(0, slash), bytesOf(`/.stapes-put-${digest.slice(0, 12)}`))
}
