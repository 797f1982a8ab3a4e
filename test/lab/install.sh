#!/bin/sh
# Installs Incus 6.0 LTS and what the lab needs on Debian, as root, from Debian's own backports, promtool, and gets
# Incus 7.0 LTS into a cache folder. Starts no service: the lab runs its own daemons. Run again, it changes nothing.
set -eu

say() { echo "lab: $*" >&2; }

present() {
  [ -x /usr/libexec/incus/incusd ] || return 1
  # One by one: of several names, command -v is content with one.
  for tool in incus mkfs.btrfs busybox losetup promtool; do
    command -v "$tool" >/dev/null || return 1
  done
}

subordinate_ids() {
  # Unprivileged containers need a range for root; the package leaves it out in some cases.
  for file in /etc/subuid /etc/subgid; do
    if ! grep -qs '^root:' "$file"; then
      say "adding root's range to $file"
      echo 'root:1000000:1000000000' >>"$file"
    fi
  done
}

add_backports() {
  candidate=$(LC_ALL=C apt-cache policy incus-base 2>/dev/null | sed -n 's/^ *Candidate: *//p')
  if [ -n "$candidate" ] && [ "$candidate" != '(none)' ]; then return; fi
  say "adding $VERSION_CODENAME-backports to apt's sources"
  # Made from the system's own source, so that mirror and key stay what the machine uses.
  if [ -f /etc/apt/sources.list.d/debian.sources ]; then
    awk -v RS= -v s="$VERSION_CODENAME" '$0 ~ "Suites:[^\n]*[ ]" s "([ \n]|$)" {
      sub(/Suites:[^\n]*/, "Suites: " s "-backports"); print; exit }' \
      /etc/apt/sources.list.d/debian.sources >/etc/apt/sources.list.d/stapes-backports.sources
  else
    sed -n "s/^\(deb .*\) $VERSION_CODENAME \(.*\)\$/\1 $VERSION_CODENAME-backports \2/p" \
      /etc/apt/sources.list | head -n 1 >/etc/apt/sources.list.d/stapes-backports.list
  fi
}

install_packages() {
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -q
  apt-get install -qy --no-install-recommends -t "$VERSION_CODENAME-backports" incus-base incus-client
  apt-get install -qy --no-install-recommends btrfs-progs busybox-static prometheus
}

# The package would start a daemon on /var/lib/incus; exit 101 from here is Debian's way to say no.
without_services() {
  guard=/usr/sbin/policy-rc.d
  if [ -e "$guard" ]; then
    "$@"
    return
  fi
  printf '#!/bin/sh\nexit 101\n' >"$guard"
  chmod 755 "$guard"
  trap 'rm -f "$guard"' EXIT
  "$@"
}

. /etc/os-release
if [ "${ID:-}" != debian ]; then
  say "this is ${ID:-unknown}, not Debian: install Incus 6.0, btrfs-progs and a static busybox by hand"
  exit 1
fi
if [ "$(id -u)" != 0 ]; then
  say 'root is needed: run it again as root'
  exit 1
fi
if present; then
  say 'Incus is installed'
else
  add_backports
  without_services install_packages
  present || { say 'the packages are installed, but incusd, btrfs, busybox or promtool is missing'; exit 1; }
  say "installed $(dpkg-query -W -f '${Package} ${Version}' incus-base)"
fi
subordinate_ids
sh "$(dirname "$0")/install-newer.sh"
