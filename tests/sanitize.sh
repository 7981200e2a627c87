#!/usr/bin/env bash
# The tests on kernels that report what they do wrong in memory: reads and writes out of
# bounds or after a free (AddressSanitizer), undefined arithmetic (UndefinedBehaviorSanitizer),
# and indices outside of a memoryview (Cython's boundscheck).
#
#   tests/sanitize.sh [arguments for pytest]
#
# Needs gcc, and a Python (PYTHON=... chooses one) that has what `pip install '.[test]'`
# and the build need. The build and the reports go to SANITIZED=... (a temporary folder,
# removed at the end, without it); nothing is written to the source tree.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

python=${PYTHON:-python}
if [ -n "${SANITIZED:-}" ]; then
    work=$SANITIZED
    mkdir -p "$work"
else
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
fi

# An environment of its own, with the packages of the other one, but not with what is
# installed there in editable mode: a path file is not followed from a path file.
"$python" -m venv --without-pip "$work/venv"
own=$("$work/venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
"$python" -c 'import sys; print(*(p for p in sys.path if p.endswith("-packages")), sep="\n")' \
    >"$own/others.pth"
CC=gcc "$work/venv/bin/python" -m pip install --quiet --force-reinstall --no-deps \
    --no-build-isolation --disable-pip-version-check \
    --config-settings=build-dir="$work/build" \
    --config-settings=setup-args=-Dchecked=true \
    --config-settings=setup-args=-Db_sanitize=address,undefined \
    --config-settings=setup-args=-Db_lundef=false \
    --config-settings=setup-args=-Dbuildtype=debugoptimized .

# Python itself is not instrumented: both libraries have to be there before it starts, in
# the processes that tests start too. What it never frees are no leaks of ours.
rm -f "$work"/report.*
export LD_PRELOAD="$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libubsan.so)"
export ASAN_OPTIONS="detect_leaks=0:allocator_may_return_null=1:log_path=$work/report"
export UBSAN_OPTIONS="print_stacktrace=1:log_path=$work/report"
export PATH="$work/venv/bin:$PATH"

# Left out: the browser, which does not start with LD_PRELOAD set; memory, of which the
# sanitizers take some themselves; and mutants, which never reach the kernels.
status=0
"$work/venv/bin/python" -P -m pytest \
    --ignore tests/test_explorable.py --ignore tests/test_memory.py \
    --ignore tests/test_mutants.py "$@" || status=$?

reports=$(find "$work" -maxdepth 1 -name 'report.*' | wc -l)
find "$work" -maxdepth 1 -name 'report.*' -exec head -n 60 {} + >&2
echo "sanitizers and boundscheck: $reports reports"
[ "$reports" = 0 ] && exit "$status"
exit 1
