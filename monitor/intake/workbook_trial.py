"""Whether an old workbook (`.xls`) can be read, tried by a process that may die of it.

One damaged cell that claims to stand far away has the library ask for all the memory between,
which no machine has: that ends the process, and no exception tells of it. What newer workbooks
span is looked up instead (`workbook`).
"""

from __future__ import annotations

import subprocess
import sys
from typing import BinaryIO

_MOST_MEMORY = 1 << 30
_LONGEST = 120
_TRIAL = f"""
import io, sys
from python_calamine import CalamineWorkbook, PasswordError
content = io.BytesIO(sys.stdin.buffer.read())
try:
    import resource
    resource.setrlimit(resource.RLIMIT_AS, ({_MOST_MEMORY}, {_MOST_MEMORY}))
except (ImportError, ValueError, OSError):
    pass
try:
    book = CalamineWorkbook.from_filelike(content)
    for index in range(len(book.sheets_metadata)):
        book.get_sheet_by_index(index)
except PasswordError:
    pass
except BaseException:
    sys.exit(1)
"""
"""What is protected is refused by the process that reads, which says so. Whatever else the library
does not take, it would not take there: a panic of it writes to the terminal, so nobody tries."""


def survives(stream: BinaryIO) -> bool:
    """Whether a process that reads all sheets of it comes to a good end."""
    command = [sys.executable, "-I", "-c", _TRIAL]
    nowhere = subprocess.DEVNULL
    try:
        done = subprocess.run(
            command, input=stream.read(), stdout=nowhere, stderr=nowhere, timeout=_LONGEST
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0
