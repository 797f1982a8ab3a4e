/**
 * The data in instances, past Incus: its file API asks a process of its own about stopped instances, which it
 * waits too short a time for in software emulation. The data are made in the machine and told by their digest.
 */
import type { Machine } from './machine.ts'
import type { Kind } from './pools.ts'

type Volume = { name: string; kind: Kind; running?: boolean }

export type Volumes = {
  /** New data for all of them, the same; gives their digest. */
  write(volumes: readonly Volume[]): Promise<string>
  /** Null when there is no such file. */
  digestOf(volume: Volume): Promise<string | null>
}

const FRESH = '/srv/fresh'
const BYTES = 200_000

export function openVolumes(sh: Machine['sh'], server: string): Volumes {
  const at = ({ name, kind, running = false }: Volume, command: string): string =>
    `${running ? 'in_container' : 'in_volume'} ${server} ${kind} ${name} '${command}'`
  return {
    async write(volumes) {
      const all = volumes.map((volume) => at(volume, 'cat >root/data && sync'))
      const digest = await sh(`${FUNCTIONS}
head -c ${BYTES} /dev/urandom >${FRESH}
${all.map((one) => `${one} <${FRESH}`).join('\n')}
sha256sum ${FRESH}`)
      return firstWord(digest.split('\n').at(-1) ?? '')
    },
    async digestOf(volume) {
      const said = await sh(`${FUNCTIONS}
${at(volume, 'if [ -e root/data ]; then sha256sum root/data; else echo none; fi')}`)
      const digest = firstWord(said.split('\n').at(-1) ?? '')
      return digest === 'none' ? null : digest
    },
  }
}

const firstWord = (line: string): string => line.split(' ')[0] ?? ''

/** SERVER POOL NAME COMMAND, which runs in the instance's root. */
const FUNCTIONS = `set -e
in_volume() {
  case $2 in
  btrfs | dir)
    (cd /srv/$1/storage-pools/$2/containers/$3/rootfs && sh -c "$4")
    return
    ;;
  zfs) mount -t zfs $1-$2/containers/$3 /mnt ;;
  *)
    volume=$1-$2/containers_$(echo $3 | sed s/-/--/g)
    lvchange -ay -K $volume
    mount /dev/$volume /mnt
    ;;
  esac
  (cd /mnt/rootfs && sh -c "$4")
  umount /mnt
  case $2 in lvm-*) lvchange -an $volume ;; esac
}
in_container() {
  INCUS_DIR=/srv/$1 incus exec $3 --cwd / -T -- sh -c "$4"
}`
