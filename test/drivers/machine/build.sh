#!/bin/sh
# Builds the machine of the drivers' suite: Debian trixie with ZFS, LVM and two versions of Incus, as a disk
# that QEMU boots. Run as root on Debian; about 8 minutes, once. What is interrupted goes on where it stopped;
# a machine counts only when it is complete, since it is moved to its place in one step.
#   build.sh FOLDER: where the machine shall be (disk.img, vmlinuz, initrd)
set -eu

if [ "$(nice)" -lt 19 ]; then exec nice -n 19 sh "$0" "$@"; fi

# The disk is sparse: it takes what the pools really hold.
DISK_SIZE=16G
SUITE=trixie
NEWER=trixie-backports
KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

here=$(cd "$(dirname "$0")" && pwd)
machine=$1
work=$machine.partial
root=$work/root

say() { echo "drivers: $*" >&2; }

# The machine's own mirror, whatever the form of its sources.
mirror() {
  if [ -f /etc/apt/sources.list.d/debian.sources ]; then
    sed -n 's/^URIs: *\([^ ]*\).*/\1/p' /etc/apt/sources.list.d/debian.sources | head -n 1
  else
    sed -n 's/^deb  *\(\[[^]]*\]  *\)\{0,1\}\([^ ]*\).*/\2/p' /etc/apt/sources.list | head -n 1
  fi
}

# A step that was finished isn't done again.
step() {
  name=$1
  shift
  if [ -e "$work/done.$name" ]; then return; fi
  say "$name"
  "$@" >"$work/$name.log" 2>&1 || {
    tail -n 20 "$work/$name.log" >&2
    say "$name failed, see $work/$name.log; run it again to go on"
    exit 1
  }
  touch "$work/done.$name"
}

# In namespaces of its own, so that mounts and left processes end with it.
inside() {
  unshare --mount --pid --fork --kill-child --mount-proc="$root/proc" \
    chroot "$root" env DEBIAN_FRONTEND=noninteractive LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"
}

bootstrap() {
  rm -rf "$root"
  debootstrap --force-check-gpg --keyring="$KEYRING" --variant=minbase --include=ca-certificates \
    "$SUITE" "$root" "$mirror"
}

sources() {
  printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
  chmod 755 "$root/usr/sbin/policy-rc.d"
  echo "deb $mirror $SUITE main contrib
deb $mirror $NEWER main" >"$root/etc/apt/sources.list"
  # A small initrd: what it takes to mount the disk.
  mkdir -p "$root/etc/initramfs-tools/conf.d" "$root/etc/modprobe.d"
  echo 'MODULES=list' >"$root/etc/initramfs-tools/conf.d/small"
  printf 'virtio_pci\nvirtio_blk\next4\n' >"$root/etc/initramfs-tools/modules"
  echo 'options zfs zfs_arc_max=268435456' >"$root/etc/modprobe.d/small.conf"
  inside apt-get update -q
}

# In two steps, because the kernel's headers have to be there when the module is built.
packages() {
  inside dpkg --configure -a
  inside apt-get install -qy --no-install-recommends linux-image-amd64 linux-headers-amd64 initramfs-tools \
    lvm2 thin-provisioning-tools btrfs-progs e2fsprogs udev kmod iproute2 procps incus-base incus-client
}

zfs() {
  inside dpkg --configure -a
  inside apt-get install -qy --no-install-recommends zfs-dkms zfsutils-linux
  ls "$root"/lib/modules/*/updates/dkms/zfs.ko*
}

# Beside the installed one, and through apt, which checks what it fetches.
newer_incus() {
  inside sh -c "mkdir -p /opt/newer /tmp/newer && cd /tmp/newer &&
    apt-get download incus-base/$NEWER incus-client/$NEWER &&
    for package in *.deb; do dpkg-deb -x \"\$package\" /opt/newer; done"
  rm -rf "$root/tmp/newer"
}

# Links under the name of the version, as the suite asks for them.
versions() {
  mkdir -p "$root/srv/incus"
  for prefix in '' /opt/newer; do
    version=$(inside "$prefix/usr/libexec/incus/incusd" --version)
    rm -f "$root/srv/incus/$version"
    ln -s "$prefix/usr/libexec/incus/incusd" "$root/srv/incus/$version"
  done
  ls "$root/srv/incus" >"$work/versions"
  # shellcheck disable=SC2016
  inside dpkg-query -W -f '${Package} ${Version}\n' incus-base lvm2 zfsutils-linux btrfs-progs \
    linux-image-amd64 >"$work/packages"
}

disk() {
  rm -rf "$root/usr/src" "$root"/usr/share/doc "$root"/usr/share/man "$root"/usr/share/locale \
    "$root"/var/cache/apt "$root"/var/lib/apt/lists "$root"/var/lib/dkms
  # The building machine's own, which debootstrap copies: this one asks nobody.
  rm -f "$root/etc/resolv.conf" "$root/etc/hostname"
  install -m 755 "$here/guest-init" "$root/sbin/stapes-init"
  cp "$root"/boot/vmlinuz-* "$work/vmlinuz"
  cp "$root"/boot/initrd.img-* "$work/initrd"
  rm -f "$work/disk.img"
  truncate -s "$DISK_SIZE" "$work/disk.img"
  mkfs.ext4 -q -d "$root" "$work/disk.img"
}

if [ -e "$machine/disk.img" ]; then
  say "the machine is built: $machine"
  exit 0
fi
mkdir -p "$work"
exec 9>"$work/lock"
flock -n 9 || { say "another run is building it: $work"; exit 1; }
mirror=$(mirror)
[ -n "$mirror" ] || { say "apt's sources name no mirror of Debian"; exit 1; }
step bootstrap bootstrap
step sources sources
step packages packages
step zfs zfs
step newer-incus newer_incus
step versions versions
step disk disk
rm -rf "$root" "$work"/done.*
mv "$work" "$machine"
say "built: $machine"
