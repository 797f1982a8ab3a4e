#!/bin/sh
# Gets Incus 7.0 LTS beside the one that is installed: a small Debian of its own in a cache folder, of which
# only the daemon, the client and their libraries are used. Debian's packages, their signatures checked as apt
# on this machine checks them. As root; run again, it changes nothing.
set -eu

SUITE=trixie
CACHE=${STAPES_CACHE:-${XDG_CACHE_HOME:-${HOME:-$(getent passwd "$(id -u)" | cut -d: -f6)}/.cache}/stapes}
HOME_OF_IT=$CACHE/incus-7

say() { echo "lab: $*" >&2; }

# A field of the system's own Debian source, so that mirror and key are those that the machine uses.
own_source() {
  for file in /etc/apt/sources.list.d/*.sources; do
    [ -f "$file" ] || continue
    found=$(awk -v RS= -v s="$VERSION_CODENAME" -v f="$1" '
      ("\n" $0) ~ "\nTypes:[^\n]*deb" && ("\n" $0) ~ "\nSuites:[^\n]*[ \t]" s "([ \t\n]|$)" {
        n = split($0, lines, "\n")
        for (i = 1; i <= n; i++) if (index(lines[i], f ":") == 1) { split(lines[i], words); print words[2]; exit }
      }' "$file")
    if [ -n "$found" ]; then echo "$found"; return; fi
  done
  line=$(sed -n "s/^deb \(.* $VERSION_CODENAME \).*/\1/p" /etc/apt/sources.list 2>/dev/null | head -n 1)
  case $1 in
    URIs) echo "$line" | sed 's/^\[[^]]*\] *//' | cut -d' ' -f1 ;;
    Signed-By) echo "$line" | sed -n 's/^\[[^]]*signed-by=\([^] ]*\).*/\1/p' ;;
  esac
}

# Everything that apt on this machine is told about how to reach a mirror, and nothing about trust.
apt_settings() { apt-config dump | grep -E '^Acquire::(https?::Proxy|Check-Valid-Until|Languages) ' || true; }

bootstrap() {
  root=$1
  debootstrap --variant=minbase --include=ca-certificates --force-check-gpg --keyring="$keyring" \
    "$SUITE" "$root" "$mirror" >"$log" 2>&1
  # No service is started in there.
  printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
  chmod 755 "$root/usr/sbin/policy-rc.d"
  mkdir -p "$root/etc/apt/keyrings"
  cp "$keyring" "$root/etc/apt/keyrings/mirror.${keyring##*.}"
  signed="[signed-by=/etc/apt/keyrings/mirror.${keyring##*.}]"
  printf 'deb %s %s %s main\n' "$signed" "$mirror" "$SUITE" "$signed" "$mirror" "$SUITE-backports" \
    >"$root/etc/apt/sources.list"
  apt_settings >"$root/etc/apt/apt.conf.d/90machine"
  if [ -f /etc/ssl/certs/ca-certificates.crt ]; then
    cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
  fi
  DEBIAN_FRONTEND=noninteractive chroot "$root" sh -c "apt-get update -q && apt-get install -qy \
    --no-install-recommends -t $SUITE-backports incus-base incus-client && apt-get clean" >>"$log" 2>&1
  rm -rf "$root/var/lib/apt/lists" "$root/usr/share/doc" "$root/usr/share/man" "$root/usr/share/locale"
}

# The programs run on this machine with the libraries of the small Debian, so they are told where these
# will lie. DT_RPATH, because a library looks for its own ones by that too.
extract() {
  root=$1
  libraries=$HOME_OF_IT/root/usr/lib/$(uname -m)-linux-gnu
  loader=$(readlink -f "$root"/lib64/ld-linux-*.so.* "$root"/lib/ld-linux-*.so.* 2>/dev/null | head -n 1)
  mkdir -p "$2/bin"
  cp "$root/usr/libexec/incus/incusd" "$2/incusd"
  cp "$root/usr/bin/incus" "$2/bin/incus"
  for program in "$2/incusd" "$2/bin/incus"; do
    patchelf --set-interpreter "$libraries/${loader##*/}" "$program"
    patchelf --force-rpath --set-rpath "$libraries" "$program"
  done
}

# A run that was killed may have left the mounts of its debootstrap.
discard() {
  [ -d "$1" ] || return 0
  awk -v p="$1/" 'index($2, p) == 1 { print $2 }' /proc/mounts | sort -r | xargs -r umount
  rm -rf --one-file-system "$1"
}

finish() {
  status=$?
  if [ "$status" != 0 ] && [ -f "$log" ]; then
    tail -n 20 "$log" >&2
    say "it didn't work, see $log"
  fi
  discard "$new"
}

. /etc/os-release
if [ "$(id -u)" != 0 ]; then
  say 'root is needed: run it again as root'
  exit 1
fi
mkdir -p "$CACHE"
# Two checkouts may be at it at once.
exec 9>"$CACHE/incus-7.lock"
flock 9
if [ -x "$HOME_OF_IT/incusd" ]; then
  say "Incus $("$HOME_OF_IT/incusd" --version) is in $HOME_OF_IT"
  exit 0
fi
mirror=$(own_source URIs)
keyring=$(own_source Signed-By)
# Without a key of its own a source is checked with Debian's.
case $keyring in /*) ;; *) keyring=/usr/share/keyrings/debian-archive-keyring.gpg ;; esac
if [ -z "$mirror" ] || [ ! -f "$keyring" ]; then
  say "apt's sources don't tell the mirror of $VERSION_CODENAME, or its key isn't there: ${mirror:-no mirror}, $keyring"
  exit 1
fi
if ! command -v debootstrap >/dev/null || ! command -v patchelf >/dev/null; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -q
  apt-get install -qy --no-install-recommends debootstrap patchelf
fi
say "getting Incus 7 from $mirror, $SUITE-backports"
log=$CACHE/incus-7.log
for rest in "$CACHE"/incus-7.new.*; do discard "$rest"; done
# What is half made has another name, and is removed.
new=$(mktemp -d "$CACHE/incus-7.new.XXXXXX")
trap finish EXIT
chmod 755 "$new"
bootstrap "$new/root"
extract "$new/root" "$new"
rm -rf "$HOME_OF_IT"
mv "$new" "$HOME_OF_IT"
if ! version=$("$HOME_OF_IT/incusd" --version); then
  rm -rf "$HOME_OF_IT"
  say 'the daemon does not run on this machine'
  exit 1
fi
say "Incus $version is in $HOME_OF_IT"
