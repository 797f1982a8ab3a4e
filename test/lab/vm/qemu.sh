#!/bin/sh
# Stands before QEMU in the lab's PATH, under its name: Incus asks for hardware acceleration and a vsock
# device, this machine has software emulation and none.
set -eu

config_without_hardware() {
  # Sections are told apart by their [header].
  awk '
    function flush() { if (section !~ /vhost-vsock/) printf "%s", section; section = "" }
    /^\[/ { flush() }
    { section = section $0 "\n" }
    END { flush() }
  ' "$1" | sed -e 's/accel = "kvm"/accel = "tcg"/' \
    -e 's/OVMF_CODE_4M\.secboot\.fd/OVMF_CODE_4M.fd/'
}

real=$(PATH=${PATH#*:} command -v qemu-system-x86_64)
first=$#
while [ "$first" -gt 0 ]; do
  argument=$1
  shift
  first=$((first - 1))
  set -- "$@" "$argument"
  case $argument in
    -accel | -cpu | -readconfig)
      value=$1
      shift
      first=$((first - 1))
      case $argument in
        -accel) value=tcg ;;
        -cpu) value=max ;;
        -readconfig)
          config_without_hardware "$value" >"$value.emulated"
          value=$value.emulated
          ;;
      esac
      set -- "$@" "$value"
      ;;
  esac
done
exec "$real" "$@"
