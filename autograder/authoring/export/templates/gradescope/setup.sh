#!/usr/bin/env bash
# Installs the grader. Gradescope runs this once, as root, when it builds the image of this assignment.
set -euo pipefail

root="${AUTOGRADER_ROOT:-/autograder}"
source="$root/source"
# What constraints.txt pins was installed for this Python, on the machine that made the bundle.
python="python@PYTHON@"

export DEBIAN_FRONTEND=noninteractive
install() { apt-get install --yes --no-install-recommends "$@"; }

apt-get update
install libseccomp2
if ! install "$python" "$python-venv"; then
    # Ubuntu keeps one version of Python for each of its own; this archive keeps the others.
    install software-properties-common gpg-agent
    add-apt-repository --yes ppa:deadsnakes/ppa
    apt-get update
    install "$python" "$python-venv"
fi

# Outside /autograder, which is closed to the user under whom a submission runs.
"$python" -m venv /opt/autograde
export PIP_EXTRA_INDEX_URL=@INDEX@
/opt/autograde/bin/pip install --no-cache-dir --constraint "$source/constraints.txt" "$source"/dist/*.whl

chmod -R go= "$source"
/opt/autograde/bin/autograde --course "$source/course" doctor || true # says in the build's log what this machine gives
