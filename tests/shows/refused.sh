#!/bin/sh
# Show "refused": every plugin that must not be loaded and every configuration that must not be run, each with its
# message. A violation is a case that is accepted, that crashes, or whose message does not say what it should.
# BUILD names the build folder (default: build beside this tree).
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
build=$(cd "${BUILD:-$root/build}" && pwd) || exit 2
trigate=$build/trigate
fixtures=$build/tests/abi/fixtures
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
violations=0
plugins=0
configs=0

violation() {
	violations=$((violations + 1))
	echo "  VIOLATION: $1"
}

# expect CODE SUBSTRING COMMAND...: run it, show what it says, compare.
expect() {
	code=$1
	text=$2
	shift 2
	"$@" >"$work/out" 2>&1
	got=$?
	sed 's/^/  /' "$work/out" | head -20
	[ "$got" -eq "$code" ] || violation "exit code $got, $code is due"
	grep -qF -- "$text" "$work/out" || violation "the message lacks '$text'"
}

# refused NAME FILE SUBSTRING [KIND]: the plugin is not loaded.
refused() {
	plugins=$((plugins + 1))
	echo "plugin $1"
	expect 1 "$3" "$trigate" plugins check --kind "${4:-router}" "$2"
}

fixture() {
	refused "$1" "$fixtures/$1.so" "$2" "${3:-router}"
}

fixture no_entry 'exports no entry symbol tg_plugin_entry; define it'
fixture no_manifest 'has no manifest, so it is not a trigate plugin; put one'
fixture two_manifests 'has 2 manifests; keep one'
fixture not_json 'its manifest is not JSON'
fixture no_version '"version" is missing; correct'
fixture wrong_keyword "unknown keyword 'minLenght'; did you mean 'minLength'?"
fixture wrong_default 'its own default is refused'
fixture wrong_magic 'wrong magic (0x12345678, TG_MAGIC is 0x31475454); define it'
fixture short_entry 'its entry says size 16'
fixture other_abi 'needs plugin ABI 0.2, this trigate has 0.1; rebuild it'
fixture surplus 'exports 1 symbol beside tg_plugin_entry (surplus_helper); link it'
fixture unresolved 'undefined symbol: trigate_nobody_defines_this; link the library'
fixture lying_id "its manifest lies: id is 'lying-id' there"
fixture lying_kind "its manifest lies: kind is 'router' there"
fixture lying_version "its manifest lies: version is '1.0.0' there"
fixture lying_abi "its manifest lies: abi is '0.7' there"
fixture missing_function 'its vtable lacks paths; every function has to be there'
fixture short_api 'its vtable says size 16'
fixture sound 'is of kind router, but exchange is wanted; name a plugin' exchange

# damaged on the spot
copy=$work/copy.so
cp "$fixtures/sound.so" "$copy" && chmod 646 "$copy"
refused world-writable "$copy" 'everybody may write it (mode 0646); chmod go-w it'
chmod 664 "$copy"
refused group-writable "$copy" 'its group may write it (mode 0664); chmod go-w it'
size=$(wc -c <"$fixtures/sound.so")
for part in 10 50 90 99; do
	rm -f "$copy" && head -c $((size * part / 100)) "$fixtures/sound.so" >"$copy" && chmod 644 "$copy"
	refused "cut at $part%" "$copy" 'is cut short or damaged'
done
echo 'not a plugin at all' >"$copy"
refused not-an-ELF "$copy" 'is not an ELF file; a plugin is a shared object'
refused absent "$work/absent.so" 'no such file; check the path'
refused folder "$work" 'is not a regular file; name a plugin'
ln -s "$fixtures/sound.so" "$work/link.so"
refused link "$work/link.so" 'is a symbolic link; name the file'

plugins=$((plugins + 1))
echo "plugin twin_a beside twin_b"
mkdir "$work/twins" && cp "$fixtures/twin_a.so" "$fixtures/twin_b.so" "$work/twins" && chmod 644 "$work"/twins/*
expect 0 "has the id 'twin' of another router" "$trigate" plugins list --path "$work/twins"
[ "$(grep -c 'remove one of the two' "$work/out")" -eq 2 ] || violation "both twins have to be refused"

plugins=$((plugins + 1))
echo "plugin aborting, inspected"
expect 0 'aborts in its constructor' "$trigate" plugins inspect "$fixtures/aborting.so"

for file in "$root"/tests/config/wrong/*.yaml; do
	configs=$((configs + 1))
	echo "config ${file##*/}"
	text=$(sed -n '1s/^# expect: //p' "$file")
	[ -f "${file%.yaml}.expect" ] && text=$(cat "${file%.yaml}.expect")
	[ -n "$text" ] || violation "it does not say what to expect"
	expect 2 "$text" "$trigate" check "$file"
done
[ "$configs" -ge 40 ] || violation "$configs wrong configs, 40 are due"

echo "{\"event\":\"summary\",\"show\":\"refused\",\"violations\":$violations,\"plugins\":$plugins,\"configs\":$configs}"
[ "$violations" -eq 0 ]
