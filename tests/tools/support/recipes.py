"""Takes the blocks of docs/cookbook.md that are marked as `run` apart: each becomes a file in a directory.

Usage: recipes.py PAGE DIRECTORY

The first words of a block's fence are its language, `run`, and the programs that it needs. The files are called
NUMBER.LANGUAGE, their lists of programs NUMBER.needs.
"""

import re
import sys
from pathlib import Path

FENCE = re.compile(r"^```(\w+) run([^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def main(page, directory):
    blocks = FENCE.findall(Path(page).read_text(encoding="utf-8"))
    for number, (language, needs, text) in enumerate(blocks, 1):
        Path(directory, f"{number:02}.{language}").write_text(text, encoding="utf-8")
        Path(directory, f"{number:02}.needs").write_text(needs.strip(), encoding="utf-8")
    print(len(blocks))


if __name__ == "__main__":
    main(*sys.argv[1:])
