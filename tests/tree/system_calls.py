"""Who calls the system. A gateway that is simulated sees no clock, file, thread or random number but those of its
outside (core/outside.h), so nothing but the rooms below may reach for one. Read from what was built: each object's
undefined symbols have to be the project's own, pure functions of libc, or of a library that the room may use.
Usage: system_calls.py SOURCE_ROOT BUILD_ROOT. Output is TAP."""
import collections
import json
import os
import re
import subprocess
import sys

SOURCE_ROOT, BUILD_ROOT = (os.path.abspath(path) for path in sys.argv[1:3])

ROOMS = ("core", "exchanges", "plugins", "sdk", "simulation", "storage/memory/slots.c",
         "storage/memory/table.c", "storage/memory/tables.c", "venue")
PROJECT = ROOMS + ("routing", "storage")

# They are the machine's side of a seam, or a person's: whatever they call.
MAY_CALL_ALL = ("core/io", "core/cli", "core/control", "core/main.c", "plugins", "simulation/jobs.c", "venue/binance/listener.c",
                "venue/binance/server.c", "venue/csv.c", "venue/ledger.c")
# A folder or a file, and what else it may call.
MAY_CALL = {
    "core/base/log.c": "pthread_mutex_lock pthread_mutex_unlock stderr",  # the default sink
    "core/config/memory.c": "stderr",                                     # its last words
    "core/config/text.c": "open close fstat disk_system",                 # the files that a person wrote
    "core/extensions.c": "transport_create",                              # never for a driven gateway
    "core/gateway.c": "outside_system",
    "core/outside.c": "disk_system workers_threads",
    # keys, which no driven gateway opens: their files and variables, and the dumps that are forbidden
    "core/secrets/source.c": "open close fstat disk_system geteuid getenv unsetenv prctl",
    "core/summary.c": "exp log",  # scores for the eye; their last bit may differ from machine to machine
}
# The outside itself: defined in the project, but whoever names it goes past what it was given.
SEAMS = {"disk_system", "workers_threads", "outside_system", "transport_create"}

# What these give depends on their arguments alone, on every machine. Streams are here, but not what opens one on a file.
PURE = set("""
    abort aligned_alloc calloc free malloc malloc_trim realloc reallocarray strdup strndup
    bcmp memchr memcmp memcpy memmem memrchr memmove memset stpcpy stpncpy strcasecmp strcat strchr strcmp strcpy strcspn strlen strncasecmp
    strncmp strncpy strnlen strpbrk strrchr strsep strspn strstr strtok_r strerror
    asprintf snprintf sprintf sscanf vasprintf vsnprintf strtod strtol strtoll strtoul strtoull
    open_memstream fclose ferror fflush fprintf fputc fputs fwrite putc
    bsearch qsort qsort_r
    ceil fabs floor sqrt
    gmtime_r strftime timegm
    """.split())
COMPILER = re.compile(r"""__(assert_fail|cpu_model|cpu_indicator_init|ctype_\w+_loc|errno_location|stack_chk_fail)
    |__(div|udiv|mod|umod|divmod|udivmod|mul|mulo)ti[34] | __(float|floatun|fix|fixuns)(ti|df)+ | _GLOBAL_OFFSET_TABLE_
    |__(asan|gcov|hwasan|lsan|msan|sancov|sanitizer|tsan|ubsan)_\w* | __(start|stop)___sancov_\w+""", re.X)
LIBRARIES = {  # but for what opens files
    re.compile(r"(json|array_list|printbuf|lh)_(?!\w*(file|fd))\w+"): ("core", "exchanges/binance", "simulation", "venue/binance"),
    re.compile(r"fy_(?!\w*(file|fp|fd))\w+"): ("core/config",),
    # signatures; sodium_init draws random numbers, of which nothing here depends
    re.compile(r"sodium_(init|memcmp|hex2bin|base642bin)|crypto_(auth_hmacsha256_\w+|sign_verify_detached)"): ("venue/binance",),
    # key pairs out of a world's seed
    re.compile(r"sodium_bin2base64|crypto_sign_seed_keypair"): ("simulation/made_key.c",),
    re.compile(r"wslay_\w+|EVP_(Digest|EncodeBlock|sha1)"): ("venue/binance/websocket.c",),
    # keys and certificates made for clients of the venue, by its command alone: random numbers, as they must be
    re.compile(r"(ASN1|BIO|BN|EVP|PEM|RAND|X509|X509V3)_(?!\w*(file|fp|fd))\w+|OPENSSL_cleanse|inet_pton|sodium_bin2base64"):
        ("venue/binance/certificate.c", "venue/binance/made_keys.c"),
    re.compile(r"__gmp\w+"): ("core/arbitrage",),
    # keys: arithmetic and memory of their own; sodium_init draws random numbers, for the canaries of that memory
    re.compile(r"sodium_(init|malloc|free|memzero|mprotect_\w+|hex2bin|base642bin)|crypto_sign_ed25519_\w+"): ("core/secrets",),
    re.compile(r"ZSTD_\w+"): ("core/capture",),
    re.compile(r"SHA(256|512)_(Init|Update|Final)|OPENSSL_cleanse"): ("core/secrets/hmac.c",),
    re.compile(r"(BIO|BN|ECDSA|ERR|EVP|PEM)_(?!\w*(file|fp|fd))\w+|d2i_ECDSA_SIG"): ("core/secrets/pem.c",),
}
FIXTURE = "tests/tree/system_caller.c"  # calls what nobody may; is taken for a file of this folder:
FIXTURE_ROOM = "core/trade"
FIXTURE_CALLS = {"clock_gettime", "disk_system", "getenv", "open", "pthread_create", "random"}

count = 0
failed = 0


def ok(problems, what):
    global count, failed
    count += 1
    failed += bool(problems)
    print(f"{'not ok' if problems else 'ok'} {count} - {what}")
    for problem in problems:
        print(f"#   {problem}")


def objects():
    """Every C file that is compiled, with its objects."""
    with open(os.path.join(BUILD_ROOT, "compile_commands.json"), encoding="utf-8") as file:
        commands = json.load(file)
    found = collections.defaultdict(list)
    for command in commands:
        source = os.path.realpath(os.path.join(command["directory"], command["file"]))
        found[os.path.relpath(source, os.path.realpath(SOURCE_ROOT))].append(
            os.path.join(command["directory"], command["output"]))
    return found


def symbols(path):
    """(undefined, defined) of an object."""
    lines = subprocess.run(["nm", "--format=posix", path], capture_output=True, text=True, check=True).stdout.split("\n")
    pairs = [line.split()[:2] for line in lines if line]
    return ({name for name, kind in pairs if kind in "Uwv"},
            {name for name, kind in pairs if kind.isupper() and kind != "U"})


def lies_in(source, places):
    return any(source == place or source.startswith(place + "/") for place in places)


def plain(name):
    """open64 and __open64_2 are open, __memcpy_chk is memcpy, __isoc99_sscanf sscanf."""
    name = re.sub(r"^__isoc\d+_|^__(?=\w+(_chk|64_2|_2)$)", "", name)
    return re.sub(r"(64)?(_2)?$", "", name.removesuffix("_chk"))


def is_allowed(source, name):
    if COMPILER.fullmatch(name) or plain(name) in PURE:
        return True
    if any(pattern.fullmatch(name) and lies_in(source, rooms) for pattern, rooms in LIBRARIES.items()):
        return True
    return any(lies_in(source, [place]) and plain(name) in names.split() for place, names in MAY_CALL.items())


def strangers(source, undefined, ours):
    return sorted(name for name in undefined - (ours - SEAMS) if not is_allowed(source, name))


def main():
    found = objects()
    sources = [source for source in found if lies_in(source, PROJECT)]
    missing = [source for source in sources + [FIXTURE] if not all(map(os.path.exists, found[source]))]
    ok(missing or ([] if sources else ["no object at all"]), "everything is built")
    read = {source: [symbols(path) for path in found[source]] for source in sources + [FIXTURE] if source not in missing}
    # allocation_count.c, which is preloaded, stands in for malloc
    ours = {name for source in read if source != "plugins/allocation_count.c"
            for _, defined in read[source] for name in defined}
    for room in ROOMS:
        ok([f"{source} calls {plain(name)}; take it through core/outside.h, or say here why it may" for source in
            sorted(sources) if source in read and lies_in(source, [room]) and not lies_in(source, MAY_CALL_ALL)
            for name in sorted({name for undefined, _ in read[source] for name in strangers(source, undefined, ours)})],
           f"{room} calls nothing but what its seams give")
    undefined = set().union(*(names for names, _ in read.get(FIXTURE, [])))
    told = {plain(name) for name in strangers(f"{FIXTURE_ROOM}/system_caller.c", undefined, ours)}
    ok(sorted(told ^ FIXTURE_CALLS), "it would be told of one that does")
    print(f"1..{count}")
    sys.exit(1 if failed else 0)


main()
