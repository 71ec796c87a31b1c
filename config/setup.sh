#!/bin/sh
# Makes the virtual environment in .venv from the locked requirements; a second run with nothing changed is instant.
# Chooses the first Python of 3.12 or newer among $PYTHON, python3, python3.12 ... python3.15.
set -eu
cd "$(dirname "$0")/.."

fail() {
    echo "make setup: $*" >&2
    exit 1
}

fits() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 12))' >/dev/null 2>&1
}

wanted="$(sha256sum requirements.txt requirements-dev.txt 2>/dev/null || shasum -a 256 requirements.txt requirements-dev.txt)"
stamp=.venv/.installed
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && fits .venv/bin/python; then
    exit 0
fi

if ! fits .venv/bin/python; then
    chosen=
    for candidate in ${PYTHON:-} python3 python3.12 python3.13 python3.14 python3.15 python; do
        if fits "$candidate"; then
            chosen=$candidate
            break
        fi
    done
    if [ -z "$chosen" ]; then
        found="$( (${PYTHON:-python3} -c 'import sys; print(sys.version.split()[0], "at", sys.executable)') 2>/dev/null || echo none)"
        fail "Python 3.12 or newer is needed, found: $found. Install one, or name it: make setup PYTHON=/path/to/python3.12"
    fi
    "$chosen" -c 'import ensurepip, venv' 2>/dev/null ||
        fail "$chosen comes without venv and pip: install them (Debian: apt install python3-venv) or name another: make setup PYTHON=..."
    rm -rf .venv
    echo "setup    | making .venv with $("$chosen" --version)"
    "$chosen" -m venv .venv || fail "$chosen -m venv .venv failed, see above"
fi

echo "setup    | installing the locked requirements"
PYTHONWARNINGS=ignore .venv/bin/python -m pip install -qq --no-compile --disable-pip-version-check --no-input --progress-bar off \
    --require-hashes --requirement requirements.txt --requirement requirements-dev.txt ||
    fail "the locked requirements could not be installed, see above; run it again once the package registry answers"
printf '%s\n' "$wanted" >"$stamp"
echo "setup    | requirements installed"
