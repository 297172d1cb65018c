#!/usr/bin/env python3
"""The same network without its batch_normalization layers, to see what they cost.

    python3 perf/without_normalization.py IN.ini OUT.ini

Who read such a layer reads what it read; convolutions get the bias that it stood for. All other
lines stay as they are.
"""

import re
import sys

HEAD = re.compile(r"\[layer\.(.+)\]\s*$")
KEY = re.compile(r"(\w+)\s*=\s*([^;]*)")


def sections(lines):
    """Lists of lines: what stands before the first section, then each section."""
    found = [[]]
    for line in lines:
        if line.startswith("["):
            found.append([])
        found[-1].append(line)
    return found


def without(lines):
    stands_for = {}  # a removed layer: what it read
    before = kept = "input"  # the layer above, there and here
    for section in sections(lines):
        head = HEAD.match(section[0]) if section else None
        if head is None:
            yield from section
            continue
        keys = {match[1]: match[2].strip() for match in map(KEY.match, section) if match}
        sources = [name.strip() for name in keys.get("inputs", before).split(",")]
        sources = [stands_for.get(name, name) for name in sources]
        if keys.get("type") == "batch_normalization":
            before = head[1]
            stands_for[before] = sources[0]
            continue
        yield section[0]
        if sources != [kept]:
            yield f"inputs = {', '.join(sources)}\n"
        for line in section[1:]:
            key = KEY.match(line)
            if not (key and key[1] in ("inputs", "use_bias")):
                yield line
        before = kept = head[1]


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as file:
        lines = list(without(file))
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        file.writelines(lines)


if __name__ == "__main__":
    main()
