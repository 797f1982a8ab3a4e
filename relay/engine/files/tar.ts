/** Headers of a tar (POSIX.1-2017, pax): what an old header can't hold stands in an extended one before it. Names are bytes. */

import { bytesOf } from './wire.ts'

const BLOCK = 512
export const TAR_END = Buffer.alloc(2 * BLOCK)

export type TarEntry = {
  /** A folder's ends with a slash. */
  name: Buffer
  type: 'file' | 'folder' | 'link'
  size: number
  mode: number
  uid: number
  gid: number
  /** Seconds since the epoch. */
  modified: number
  target?: Buffer
}

const TYPE = { file: '0', link: '2', folder: '5' } as const

/** Of fields with seven and eleven octal digits. */
const [SHORT, LONG] = [0o7777777, 0o77777777777]

/** After the contents, so that what follows begins at a block. */
export const padding = (size: number): Buffer => Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK)

export function tarHeader(entry: TarEntry): Buffer {
  const { name, target = Buffer.alloc(0), size, uid, gid } = entry
  const records = [
    ...(name.length > 100 ? [record('path', name)] : []),
    ...(target.length > 100 ? [record('linkpath', target)] : []),
    ...(size > LONG ? [record('size', Buffer.from(String(size)))] : []),
    ...(uid > SHORT ? [record('uid', Buffer.from(String(uid)))] : []),
    ...(gid > SHORT ? [record('gid', Buffer.from(String(gid)))] : []),
  ]
  if (records.length === 0) return block(entry, TYPE[entry.type])
  const body = Buffer.concat(records)
  const about = {
    name: bytesOf('PaxHeader'),
    size: body.length,
    mode: 0o644,
    uid: 0,
    gid: 0,
    modified: 0,
  }
  return Buffer.concat([block(about, 'x'), body, padding(body.length), block(entry, TYPE[entry.type])])
}

function block(
  { name, size, mode, uid, gid, modified, target }: Omit<TarEntry, 'type'>,
  type: string,
): Buffer {
  const header = Buffer.alloc(BLOCK)
  const octal = (value: number, at: number, digits: number, most: number) =>
    header.write((value <= most ? value : 0).toString(8).padStart(digits, '0'), at, 'latin1')
  header.set(name.subarray(0, 100))
  octal(mode & 0o7777, 100, 7, SHORT)
  octal(uid, 108, 7, SHORT)
  octal(gid, 116, 7, SHORT)
  octal(size, 124, 11, LONG)
  octal(modified, 136, 11, LONG)
  header.write(type, 156, 'latin1')
  if (target !== undefined) header.set(target.subarray(0, 100), 157)
  header.write('ustar\x0000', 257, 'latin1')
  header.fill(0x20, 148, 156)
  const sum = header.reduce((all, byte) => all + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return header
}

/** `<length> <key>=<value>\n`, its length with the digits of that. */
function record(key: string, value: Buffer): Buffer {
  const rest = key.length + value.length + 3
  let length = rest + String(rest).length
  if (rest + String(length).length > length) length = rest + String(length).length
  return Buffer.concat([bytesOf(`${length} ${key}=`), value, bytesOf('\n')])
}
