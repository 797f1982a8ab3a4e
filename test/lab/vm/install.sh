#!/bin/sh
# Installs what the lab's virtual machines need on Debian, as root, from Debian itself: QEMU, which emulates
# in software here, its firmware, a compiler, and what the bootable image is made with. After ../install.sh.
set -eu

say() { echo "lab: $*" >&2; }

present() {
  command -v qemu-system-x86_64 qemu-img gcc sgdisk mformat objcopy >/dev/null &&
    [ -e /usr/share/OVMF/OVMF_CODE_4M.fd ] &&
    dpkg -s qemu-system-modules-spice qemu-system-modules-opengl >/dev/null 2>&1
}

. /etc/os-release
if [ "${ID:-}" != debian ] || [ "$(id -u)" != 0 ]; then
  say 'root on Debian is needed: install qemu-system-x86 (8 or newer), ovmf, gdisk, mtools, binutils and gcc by hand'
  exit 1
fi
if present; then
  say 'what virtual machines need is installed'
  exit 0
fi
export DEBIAN_FRONTEND=noninteractive
# Incus wants QEMU 8 or newer, which Debian 12 has in its backports alone; ../install.sh has added these.
candidate=$(LC_ALL=C apt-cache policy qemu-system-x86 | sed -n 's/^ *Candidate: *//p')
release=$VERSION_CODENAME
dpkg --compare-versions "$candidate" ge 1:8 || release=$VERSION_CODENAME-backports
apt-get install -qy --no-install-recommends -t "$release" \
  qemu-system-x86 qemu-utils qemu-system-modules-spice qemu-system-modules-opengl
apt-get install -qy --no-install-recommends ovmf gdisk mtools binutils gcc libc6-dev
present || { say 'the packages are installed, but something is missing'; exit 1; }
say "installed $(dpkg-query -W -f '${Package} ${Version}' qemu-system-x86)"
