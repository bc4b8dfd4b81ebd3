#!/bin/sh
# Can somebody else build a plugin? Installs the SDK alone into an empty folder, builds a plugin of each kind with nothing
# but the flags of `pkg-config trigate-sdk` from there, and loads them through the host. TAP.
# Usage: external.sh BUILD-FOLDER DRIVER
set -eu
build=$1
driver=$2
here=$(cd "$(dirname "$0")" && pwd)

skip() {
	echo "1..0 # SKIP $1"
	exit 0
}

command -v pkg-config >/dev/null || skip "no pkg-config"
nm "$build/sdk/libtrigate-sdk.a" 2>/dev/null | grep -q '__asan_\|__ubsan_\|__tsan_' && skip "the SDK is built with sanitizers"

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
DESTDIR=$stage ${MESON:-meson} install -C "$build" --no-rebuild --tags devel >"$stage/log" 2>&1 || {
	cat "$stage/log"
	echo "Bail out! meson install failed"
	exit 1
}

# where the .pc thinks it lives, under the stage
pc=$(find "$stage" -name trigate-sdk.pc)
PKG_CONFIG_LIBDIR=$(dirname "$pc")
export PKG_CONFIG_LIBDIR
prefix=$stage$(pkg-config --variable=prefix trigate-sdk)
flags=$(pkg-config --define-variable=prefix="$prefix" --cflags --libs trigate-sdk)

for name in fixed forgetful twohop; do
	# shellcheck disable=SC2086 # flags are several words
	${CC:-cc} -std=gnu11 -Wall -Wextra -Werror -O2 -fPIC -shared -o "$stage/$name.so" "$here/external/$name.c" $flags
done
more=
if command -v "${CXX:-c++}" >/dev/null; then
	# shellcheck disable=SC2086
	"${CXX:-c++}" -std=c++17 -Wall -Wextra -Wno-missing-field-initializers -Werror -O2 -fPIC -shared \
		-o "$stage/cxx.so" "$here/entry.cc" $flags
	more=$stage/cxx.so
fi
# shellcheck disable=SC2086 # absent when there is no C++
"$driver" "$stage/fixed.so" "$stage/forgetful.so" "$stage/twohop.so" $more
