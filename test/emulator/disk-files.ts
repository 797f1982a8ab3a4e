/** The files on an instance's disk: what every disk holds, and what was written into it one by one. */
import type { Disk, Instance } from './state.ts'

/** `bytes`: of a file, or where a link leads. */
export type FileNode = {
  kind: 'file' | 'folder' | 'link' | 'pipe'
  bytes: Buffer
  mode: number
  uid: number
  gid: number
  modified: number
}

/** By path, each byte of it a character; null: it was removed. */
export type Overlay = ReadonlyMap<string, FileNode | null>

/** Bytes of a disk that can be read. */
const MOST = 64 * 1024

export const newNode = (kind: FileNode['kind'], bytes = Buffer.alloc(0)): FileNode => ({
  ...{ kind, bytes, mode: kind === 'folder' ? 0o755 : kind === 'link' ? 0o777 : 0o644 },
  ...{ uid: 0, gid: 0, modified: 1_700_000_000 },
})

export function nodesOn(disk: Disk): Map<string, FileNode> {
  const nodes = new Map([['/', newNode('folder')]])
  if (disk.held !== 'whole') return nodes
  nodes.set('/marker', newNode('file', Buffer.from(disk.marker ?? '')))
  nodes.set('/data', newNode('file', Buffer.alloc(Math.min(disk.bytes, MOST), 'd')))
  for (const [path, node] of disk.files ?? []) {
    if (node === null) nodes.delete(path)
    else nodes.set(path, node)
  }
  return nodes
}

let written = 0.5

/** The marker is a file like others. */
export function putNode(instance: Pick<Instance, 'disk'>, path: string, node: FileNode | null): void {
  const { disk } = instance
  const marker = path === '/marker' ? (node === null ? null : node.bytes.toString()) : disk.marker
  const files = new Map([...(disk.files ?? []), [path, node]])
  written += 1
  instance.disk = { ...disk, held: 'whole', marker, files, content: written }
}
