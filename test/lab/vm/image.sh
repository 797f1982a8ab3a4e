#!/bin/sh
# Makes the lab's bootable image: image.sh FOLDER leaves image.tar there, as Incus imports it.
# Kernel and boot stub come from Debian's signed packages, which are unpacked here and not installed.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

MODULES='scsi_common scsi_mod virtio_ring virtio virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci virtio_scsi sd_mod'

unpack() {
  mkdir -p "$work/packages"
  cd "$work/packages"
  kernel=$(LC_ALL=C apt-cache depends linux-image-cloud-amd64 | sed -n 's/^ *Depends: *\(linux-image-.*\)/\1/p')
  apt-get download -qq "$kernel" systemd-boot-efi 2>/dev/null
  for package in *.deb; do dpkg-deb -x "$package" "$work/root"; done
}

initrd() {
  mkdir -p "$work/guest/bin" "$work/guest/modules"
  cp /bin/busybox "$work/guest/bin/"
  cp "$here/guest-init" "$work/guest/init"
  chmod 755 "$work/guest/init"
  for module in $MODULES; do
    find "$work/root/lib/modules" -name "$module.ko" -exec cp {} "$work/guest/modules/" \;
    # One that is built into the kernel has no file.
    if [ -e "$work/guest/modules/$module.ko" ]; then echo "$module"; fi
  done >"$work/guest/modules/order"
  (cd "$work/guest" && find . | busybox cpio -o -H newc 2>/dev/null) | gzip -9 >"$work/initrd"
}

# One file that the firmware starts: command line, kernel and initrd behind systemd's stub.
boot_file() {
  printf 'console=ttyS0 quiet' >"$work/cmdline"
  objcopy \
    --add-section .cmdline="$work/cmdline" --change-section-vma .cmdline=0x30000 \
    --add-section .linux="$(echo "$work"/root/boot/vmlinuz-*)" --change-section-vma .linux=0x2000000 \
    --add-section .initrd="$work/initrd" --change-section-vma .initrd=0x3000000 \
    "$work/root/usr/lib/systemd/boot/efi/linuxx64.efi.stub" "$work/boot.efi"
}

disk() {
  truncate -s 40M "$work/boot"
  mformat -i "$work/boot" ::
  mmd -i "$work/boot" ::EFI ::EFI/BOOT
  mcopy -i "$work/boot" "$work/boot.efi" ::EFI/BOOT/BOOTX64.EFI
  cp "$work/boot" "$work/disk"
  truncate -s 64M "$work/disk"
  qemu-img convert -f raw -O qcow2 -c "$work/disk" "$work/rootfs.img"
}

metadata() {
  cat >"$work/metadata.yaml" <<END
architecture: x86_64
creation_date: 1700000000
properties: { description: a guest that counts, os: busybox, release: "1" }
END
}

unpack
initrd
boot_file
disk
metadata
# Renamed last, so that half of it is never taken for the whole.
tar -cf "$folder/image.tar.$$" -C "$work" metadata.yaml rootfs.img
mv "$folder/image.tar.$$" "$folder/image.tar"
