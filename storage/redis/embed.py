#!/usr/bin/python3
"""Writes the scripts into a C header: embed.py HEADER SCRIPT..."""
import os
import sys

HEAD = """/* The scripts of storage/redis as text: X(NAME, text). Made from scripts/ by embed.py. */
#ifndef TRIGATE_STORAGE_REDIS_SCRIPT_TEXTS_H
#define TRIGATE_STORAGE_REDIS_SCRIPT_TEXTS_H

#define SCRIPT_TEXTS(X)"""


def quoted(line):
    return '"' + line.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t") + '\\n"'


def main():
    header, paths = sys.argv[1], sys.argv[2:]
    parts = [HEAD]
    for path in paths:
        name = os.path.splitext(os.path.basename(path))[0].upper()
        with open(path, encoding="utf-8") as file:
            lines = [quoted(line) for line in file.read().splitlines()]
        parts.append(f" \\\n\tX({name}, " + " \\\n\t  ".join(lines) + ")")
    with open(header, "w", encoding="utf-8") as file:
        file.write("".join(parts) + "\n\n#endif\n")


main()
