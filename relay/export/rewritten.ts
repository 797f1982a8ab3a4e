/**
 * An archive with another description of its instance, volume or bucket: what Incus makes of it is by that alone, and files only come to where
 * files of that belong.
 */
import type { Described } from './described.ts'
import { BLOCK, type Entry, framesOf, headerOf, odd, padded } from './frames.ts'

const INDEX = 'backup/index.yaml'
const DETAILS = /^backup\/(container|virtual-machine)\/backup\.yaml$/

/** Of a description: an instance's is small, and it is held in memory. */
const LONGEST = 8 * 1024 * 1024

/** What stands in the archive's first entry. Reads no more of it. */
export async function readIndex(source: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  let left: number | null = null
  for await (const frame of framesOf(source)) {
    if ('entry' in frame) {
      if (left !== null) break
      left = sizeOfIndex(frame.entry)
    } else chunks.push(frame.bytes)
    if (left === 0) break
    if ('bytes' in frame && left !== null) {
      left = Math.max(0, left - frame.bytes.length)
      if (left === 0) break
    }
  }
  if (left === null) throw odd('it has no index')
  return Buffer.concat(chunks).toString('utf8').replace(/\0+$/, '')
}

function sizeOfIndex({ name, type, size }: Entry): number {
  if (name !== INDEX || type !== '0' || size > LONGEST) throw odd('its first entry is no index')
  return size
}

/** `index` and `details`: what takes the place of Incus's own. */
export async function* rewritten(
  source: AsyncIterable<Uint8Array>,
  { index, details, content }: Described,
): AsyncGenerator<Uint8Array> {
  let entries = 0
  let described = 0
  let isDropped = false
  for await (const frame of framesOf(source)) {
    if ('bytes' in frame) {
      if (!isDropped) yield frame.bytes
      continue
    }
    const { entry } = frame
    entries += 1
    if (entries === 1) sizeOfIndex(entry)
    else if (details === null) refuseOfVolume(entry, content)
    else refuse(entry)
    const text = entries === 1 ? index : details !== null && DETAILS.test(entry.name) ? details : null
    isDropped = text !== null
    if (text === null) yield entry.raw
    else {
      if (entries > 1) described += 1
      yield* fileOf(entry.name, text)
    }
  }
  if (described !== (details === null ? 0 : 1)) throw odd(`it describes its instance ${described} times`)
  yield Buffer.alloc(2 * BLOCK)
}

function* fileOf(name: string, text: string): Generator<Uint8Array> {
  const bytes = Buffer.from(text)
  yield headerOf(name, bytes.length)
  yield Buffer.concat([bytes, Buffer.alloc(padded(bytes.length) - bytes.length)])
}

const BASE = /^backup\/(container|virtual-machine)$/
const ROOTFS = /^backup\/container\/rootfs\//
const OTHER = /^backup\/((container|virtual-machine)\/.+|virtual-machine\.img)$/

/**
 * Beside its files, which are the instance's own affair, Incus reads some on the host, as root: those are files and folders,
 * and a link only names another file beside it.
 */
function refuse({ name, type, link }: Entry): void {
  const path = name.endsWith('/') ? name.slice(0, -1) : name
  if (!isPlain(path)) throw odd(`an entry is called ${JSON.stringify(name)}`)
  if (BASE.test(path) && type === '5') return
  if (DETAILS.test(path) && type !== '0') throw odd(`${path} is no file`)
  if (ROOTFS.test(path)) {
    if (type === '1' && !(ROOTFS.test(link) && isPlain(link)))
      throw odd(`${path} is the same file as ${link}`)
    return
  }
  const isBeside = type === '2' && !/^backup\/container/.test(path) && /^[\w.-]+$/.test(link) && link !== '..'
  if (!OTHER.test(path) || !('05'.includes(type) || isBeside))
    throw odd(`it has an entry ${JSON.stringify(path)}`)
}

const IN_VOLUME = /^backup\/volume\//

const IN_BUCKET = /^backup\/bucket\//

/** Its files are its own affair; a block device is one file, and an object of a bucket, too. */
function refuseOfVolume({ name, type, link }: Entry, content: string | undefined): void {
  const path = name.endsWith('/') ? name.slice(0, -1) : name
  if (!isPlain(path)) throw odd(`an entry is called ${JSON.stringify(name)}`)
  if (content === 'bucket' && IN_BUCKET.test(path) && type === '0') return
  if (content === 'block' && path === 'backup/volume.img' && type === '0') return
  if (content === 'filesystem' && path === 'backup/volume' && type === '5') return
  if (content !== 'filesystem' || !IN_VOLUME.test(path)) throw odd(`it has an entry ${JSON.stringify(path)}`)
  if (type === '1' && !(IN_VOLUME.test(link) && isPlain(link)))
    throw odd(`${path} is the same file as ${link}`)
}

const isPlain = (path: string): boolean =>
  !path.includes('\0') && path.split('/').every((part) => !['', '.', '..'].includes(part))
