"""The tree's own rules: who may include whom, which library stays in which room, and what every file owes. The table
of rooms below is the one of ARCHITECTURE.md; change both. Usage: may_include.py ROOT. Output is TAP."""
import os
import re
import sys

ROOT = os.path.abspath(sys.argv[1])

# A room is a folder (or one file of it); the longest that a file is in decides. Each may always include itself.
MAY_INCLUDE = {
    "sdk": [],
    "exchanges/*": ["sdk"],
    "exchanges/sim": ["sdk", "venue"],
    "storage/*": ["sdk"],
    "routing/*": ["sdk"],
    "venue": ["sdk"],
    "plugins": ["sdk", "core/base"],
    "core/base": ["sdk"],
    "core": ["sdk", "plugins", "core/base"],
    "core/main.c": ["core/cli"],
    "core/cli": ["sdk", "plugins", "core", "core/base", "venue", "simulation"],
    "simulation": ["*"],
    "tests": ["*"],
    "bench": ["*"],
}
# A library's headers are seen in one room, so that the room is what has to change with the library.
LIBRARY_ROOMS = {
    "uv.h": ["core/io", "core/cli/cmd_version.c", "venue/binance/server.h"],
    "libfyaml.h": ["core/config"],
    "gmp.h": ["core/arbitrage"],
    "sodium.h": ["core/secrets", "venue/binance", "simulation/made_key.c"],
    "openssl/": ["core/secrets", "core/io", "venue/binance/certificate.c", "venue/binance/made_keys.c", "venue/binance/websocket.c"],
    "libwebsockets.h": ["core/io", "venue/binance/server.c"],
    "wslay/": ["venue/binance/websocket.c"],
    "curl/": ["core/io"],
    "zstd.h": ["core/capture"],
    "sqlite3.h": ["storage/sqlite"],
    "libpq-fe.h": ["storage/postgres"],
    "hiredis/": ["storage/redis"],
    "igraph/": ["routing/igraph"],
    "libelf.h": ["plugins"],
    "gelf.h": ["plugins"],
    "dlfcn.h": ["plugins"],
    "json-c/": ["plugins", "core", "exchanges/binance", "venue/binance"],
}

LINES_MAX = 600  # of a source file, unless its head comment says why with these words:
LONG_BECAUSE = "long because"
README_LINES_MAX = 60

# Written so that this file does not match itself.
FORBIDDEN = {
    "a path of one machine": r"(?<![\w.])/[w]ork/|/tmp/[w]\b|/[h]ome/\w|/[r]oot/",
    "a package registry's host": r"debian[.]org/debian|pypi[.]org|[p]ythonhosted|crates[.]io|npmjs[.]|proxy[.]golang|maven[.]org",
    "an unfinished part": r"\b(TO[D]O|FIX[M]E|XX[X])\b",
}
# Data that is wrong on purpose, or bytes.
DATA = ("tests/config/wrong/", "tests/fuzz/corpus/")
SOURCES = (".c", ".h", ".cc")
ROOMS = ("sdk", "plugins", "exchanges", "storage", "routing", "venue", "core", "simulation")

count = failed = 0


def ok(problems, what):
    global count, failed
    count += 1
    failed += bool(problems)
    print(("not ok" if problems else "ok") + f" {count} - {what}")
    for problem in problems:
        print("#   " + problem)
    sys.stdout.flush()


def walk():
    for folder, folders, files in os.walk(ROOT):
        at_root = folder == ROOT
        folders[:] = sorted(f for f in folders if f != "__pycache__" and (f == ".ci" or not f.startswith("."))
                            and not (at_root and re.match(r"build|trigate-state", f)))
        for name in sorted(files):
            yield os.path.relpath(os.path.join(folder, name), ROOT)


def text_of(path):
    with open(os.path.join(ROOT, path), encoding="utf-8", errors="replace") as file:
        return file.read()


def room_of(path):
    """The entry of MAY_INCLUDE that a file belongs to, and the folder that is the room itself."""
    parts = path.split("/")
    for length in range(len(parts), 0, -1):
        folder = "/".join(parts[:length])
        above = "/".join(parts[:length - 1])
        if folder in MAY_INCLUDE:
            return folder, folder
        if above + "/*" in MAY_INCLUDE:
            return above + "/*", folder
    return None, None


def included(path, name, files):
    """The file of the tree that an #include means, or None for the system's."""
    for base in (os.path.dirname(path), "", "sdk/include", "tests"):
        candidate = os.path.normpath(os.path.join(base, name))
        if candidate in files:
            return candidate
    return None


def includes(path, texts):
    for number, line in enumerate(texts[path].split("\n"), 1):
        match = re.match(r'\s*#\s*include\s*[<"]([^>"]+)[>"]', line)
        if match:
            yield number, match.group(1)


def table_check(sources, texts):
    problems = {entry: [] for entry in MAY_INCLUDE}
    homeless = []
    for path in sources:
        entry, room = room_of(path)
        if not entry:
            homeless.append(f"{path} is in no room of the table")
            continue
        for number, name in includes(path, texts):
            target = included(path, name, texts)
            if not target:
                continue
            _, other = room_of(target)
            if other != room and other not in MAY_INCLUDE[entry] and MAY_INCLUDE[entry] != ["*"]:
                problems[entry].append(f"{path}:{number}: {room} may not include {other} ({name})")
    ok(homeless, "every source is in a room")
    for entry, found in problems.items():
        if any(room_of(path)[0] == entry for path in sources):
            ok(found, f"{entry} includes only: {', '.join(MAY_INCLUDE[entry]) or 'itself'}")


def libraries_check(sources, texts):
    for header, rooms in LIBRARY_ROOMS.items():
        problems = [f"{path}:{number}" for path in sources if path.startswith(ROOMS)
                    for number, name in includes(path, texts)
                    if name.startswith(header) and not any((path + "/").startswith(room + "/") for room in rooms)]
        ok(problems, f"<{header}> is included only in {', '.join(rooms)}")


def head_of(text):
    return text[:text.find("*/")] if text.startswith("/*") else ""


def sources_check(sources, texts):
    headers = [path for path in sources if path.endswith(".h")]
    ok([path for path in headers if len(head_of(texts[path])) < 40], "every header opens with what it is for")
    ok([path for path in headers if not re.search(r"#ifndef (\w+)\n#define \1\n", texts[path])], "every header has a guard")
    long = [f"{path}: {texts[path].count(chr(10))} lines" for path in sources + [p for p in texts if p.endswith(".py")]
            if texts[path].count("\n") > LINES_MAX and LONG_BECAUSE not in head_of(texts[path])]
    ok(long, f"no source has more than {LINES_MAX} lines without a reason at its head ('{LONG_BECAUSE} …')")


def texts_check(texts):
    texts = {path: text for path, text in texts.items() if not path.startswith(DATA)}
    for what, pattern in FORBIDDEN.items():
        ok([f"{path}:{number}: {line.strip()[:80]}" for path, text in texts.items()
            for number, line in enumerate(text.split("\n"), 1) if re.search(pattern, line)], f"no file names {what}")
    ok([path for path, text in texts.items() if text and not text.endswith("\n")], "every file ends with a newline")
    ok([f"{path}:{number}" for path, text in texts.items() for number, line in enumerate(text.split("\n"), 1)
        if line != line.rstrip() and not path.endswith(".patch")], "no line ends with blanks, but for an empty one in a patch")


def registered_check(sources, texts):
    """A file that no meson.build names is neither built nor tested."""
    named = {path: set() for path in texts if os.path.basename(path) == "meson.build"}
    for path in named:
        named[path] = set(re.findall(r"'([^'\n]+)'", texts[path]))
    folders = {os.path.dirname(path): names for path, names in named.items()}

    def is_named(path):
        stem = os.path.splitext(path)[0]
        for folder, names in folders.items():
            for candidate in (path, stem):
                inside = os.path.relpath(candidate, folder or ".")
                if inside in names or (inside.startswith("unit/") and inside[len("unit/"):] in names):
                    return True
        return False

    by_script = ("tests/abi/external/", "tests/abi/entry.cc")  # built by external.sh as an author outside would
    ok([path for path in sources if path.endswith((".c", ".cc")) and not path.startswith(by_script)
        and not is_named(path)], "every source is named in a meson.build")
    shared = {name for path in texts if path.startswith("tests/") and path.endswith(".py")
              for name in re.findall(r"^(?:import|from) (\w+)", texts[path], re.M)}
    ok([path for path in texts if path.startswith("tests/integration/") and not is_named(path)
        and os.path.basename(path).split(".")[0] not in shared], "every integration test is registered")


def folders_check(texts):
    rooms = sorted({"/".join(path.split("/")[:2 if path.startswith("core/") else 1]) for path in texts
                    if path.startswith(ROOMS) and path.endswith(SOURCES) and os.path.dirname(path) != "core"})
    ok([room for room in rooms if room + "/README.md" not in texts], "every room has a README.md")
    ok([f"{path}: {text.count(chr(10))} lines" for path, text in texts.items()
        if path.endswith("/README.md") and text.count("\n") > README_LINES_MAX], "a room's README is at most a page")
    targets = [os.path.basename(path)[:-2] for path in texts if path.startswith("tests/fuzz/") and path.endswith(".c")
               and "LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)\n" in texts[path]]
    ok([name for name in targets if not any(path.startswith(f"tests/fuzz/corpus/{name}/") for path in texts)],
       "every fuzz target has a corpus")


def main():
    texts = {path: text_of(path) for path in walk()}
    sources = [path for path in texts if path.endswith(SOURCES)]
    table_check(sources, texts)
    libraries_check(sources, texts)
    sources_check(sources, texts)
    texts_check(texts)
    registered_check(sources, texts)
    folders_check(texts)
    print(f"1..{count}")
    sys.exit(1 if failed else 0)


main()
