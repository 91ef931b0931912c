#!/bin/sh
# Makes the Debian package: deb.sh BUILD [VERSION]
# In BUILD/deb, from a copy of the sources with this directory's debian/ at its top. VERSION: another
# than the source's, for a test of upgrades.
set -eu

cd "$(dirname "$0")/../.."
build=$1
version=$(sed -n 's/^#define RSTWATCH_VERSION "rstwatchd \(.*\)"/\1/p' subagent/version.h)
tree=$build/deb/rstwatch

rm -rf "$tree"
mkdir -p "$tree"
tar --create --exclude="./$build" --exclude=./build --exclude='./.git' --exclude=./tests . |
    tar --extract --directory "$tree"
cp -r "$tree/platform/Linux/debian" "$tree/debian"
sed 's/^$/./; s/^/ /' LICENSE >>"$tree/debian/copyright"
grep -q "^rstwatch ($version)" "$tree/debian/changelog" || {
    echo "deb.sh: debian/changelog does not begin with version $version" >&2
    exit 1
}
[ $# -lt 2 ] || sed -i "1s/($version)/($2)/" "$tree/debian/changelog"
(cd "$tree" && dpkg-buildpackage --build=binary --no-sign --jobs="$(nproc)")
