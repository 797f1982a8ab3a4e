#!/bin/sh
# Installs Debian's Chromium for the tests of the page, as root. Run again, it changes nothing.
set -eu

if [ -x /usr/bin/chromium ]; then exit 0; fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
apt-get install -qy --no-install-recommends chromium fonts-dejavu-core
