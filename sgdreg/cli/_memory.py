"""The memory that is available."""

import os
from contextlib import suppress
from pathlib import Path

# Bytes assumed where the system does not say: 2 GiB, a small machine.
UNKNOWN = 2 * 2**30
# The numbers of a file may fill this share of the memory; larger files are streamed.
MOST_SHARE = 0.5


def holds(size):
    """Whether so many bytes of numbers are held in memory."""
    return size <= MOST_SHARE * available()


def available():
    """Bytes that can be used without swapping, within this process's control group."""
    found = []
    with suppress(OSError, ValueError, LookupError):
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        sizes = dict(line.split(":", 1) for line in lines)
        found.append(1024 * int(sizes["MemAvailable"].split()[0]))
    with suppress(OSError, ValueError):
        group = Path("/sys/fs/cgroup")
        limit = int((group / "memory.max").read_text(encoding="ascii"))
        used = int((group / "memory.current").read_text(encoding="ascii"))
        found.append(max(0, limit - used))
    if not found:
        with suppress(AttributeError, OSError, ValueError):  # not on Linux: half of all
            found.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2)
    return min(found, default=UNKNOWN)
