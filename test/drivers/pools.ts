/** The pools of the suite, the same on both servers: each driver, LVM in both its ways. */

export const KINDS = ['btrfs', 'dir', 'zfs', 'lvm-thin', 'lvm-thick'] as const

export type Kind = (typeof KINDS)[number]

type Pool = { name: Kind; driver: string; config: Record<string, string> }

/** Volume groups and ZFS pools are the machine's, not the server's: `server` makes their names differ. */
export function poolOf(kind: Kind, server: string): Pool {
  const own = `${server}-${kind}`
  switch (kind) {
    case 'btrfs':
      return { name: kind, driver: 'btrfs', config: { size: '2GiB' } }
    case 'dir':
      return { name: kind, driver: 'dir', config: {} }
    case 'zfs':
      return { name: kind, driver: 'zfs', config: { size: '2GiB', 'zfs.pool_name': own } }
    case 'lvm-thin':
      return { name: kind, driver: 'lvm', config: { ...volumes('3GiB'), 'lvm.vg_name': own } }
    case 'lvm-thick':
      return {
        name: kind,
        driver: 'lvm',
        // Each snapshot takes as much as its volume.
        config: { ...volumes('5GiB'), 'lvm.vg_name': own, 'lvm.use_thinpool': 'false' },
      }
  }
}

/** 64 MiB are the least that ext4 and Incus agree on. */
const volumes = (size: string) => ({ size, 'volume.size': '64MiB' })
