#!/usr/bin/env bash
# variant.sh wheel|bare|oldest: what one development environment cannot show. Run by `make variants`.
#   wheel   sdist and wheel are built, the wheel is installed elsewhere, and the demo runs with it;
#           the unpacked sdist passes the tests of the project's own rules
#   bare    the wheel without any extra: every module that needs none imports, a run works, and what
#           needs an extra names the command that installs it
#   oldest  the lowest versions that pyproject.toml declares, under the part of the suite that uses them
set -euo pipefail
cd "$(dirname "$0")/.."
name=${1:-}
root=$PWD
python=$root/.venv/bin/python
uv=$(command -v uv || echo "$root/.venv/bin/uv")
work=$(mktemp -d "${TMPDIR:-/tmp}/pixtrawl-$name-XXXXXX")
trap 'rm -rf "$work"' EXIT
step() { printf '\n== %s: %s\n' "$name" "$1" >&2; }

build() {
  step "build"
  mkdir "$work/source"
  # Of what git knows, as a release is: no left-over of this checkout gets in.
  git ls-files -z | xargs -0 cp --parents -t "$work/source"
  (cd "$work/source" && "$python" -m hatchling build -t sdist -d "$work/dist")
  mkdir "$work/unpacked" && tar -xf "$work"/dist/*.tar.gz -C "$work/unpacked" --strip-components=1
  (cd "$work/unpacked" && "$python" -m hatchling build -t wheel -d "$work/dist")
}

environment() { # environment LOCK-OPTIONS...: a fresh one with the wheel
  step "a fresh environment"
  "$uv" venv --quiet --python "$python" "$work/venv"
  "$uv" pip install --quiet --python "$work/venv/bin/python" "$@"
  "$uv" pip install --quiet --python "$work/venv/bin/python" --no-deps "$work"/dist/*.whl
}

case $name in
  wheel)
    build
    environment --require-hashes --no-deps -r requirements/demo.txt
    step "its demo, in another folder"
    mkdir "$work/elsewhere" && cd "$work/elsewhere"
    "$work/venv/bin/python" -c 'import pixtrawl, sys; assert sys.prefix in pixtrawl.__file__'
    "$work/venv/bin/pixtrawl" --version
    "$work/venv/bin/python" "$root/scripts/demo.py"
    step "tests of the project's rules in the unpacked sdist"
    cd "$work/unpacked" && "$python" -m pytest -q tests/project -p no:cacheprovider
    ;;
  bare)
    build
    grep -v '^#' requirements/run.txt | sed -n 's/^\([A-Za-z0-9_.-]*==[^ ]*\).*/\1/p' >"$work/pins.txt"
    environment --constraint "$work/pins.txt" "pixtrawl @ file://$(echo "$work"/dist/*.whl)"
    step "imports, a run, missing extras"
    cd "$work" && "$work/venv/bin/python" "$root/scripts/check_bare.py"
    ;;
  oldest)
    step "resolve the lowest versions declared"
    "$uv" pip compile --quiet pyproject.toml --extra browser --resolution lowest-direct \
      --python "$python" --no-header --no-annotate --no-emit-index-url --no-emit-find-links \
      --output-file "$work/oldest.txt" >/dev/null
    cat "$work/oldest.txt" >&2
    # the tools that run the tests are those of the lock
    sed -n 's/^\(\(pytest\|hypothesis\|packaging\|execnet\)[A-Za-z0-9_.-]*==[^ ]*\).*/\1/p' \
      requirements/dev.txt >"$work/tools.txt"
    "$uv" venv --quiet --python "$python" "$work/venv"
    "$uv" pip install --quiet --python "$work/venv/bin/python" -r "$work/oldest.txt" -r "$work/tools.txt"
    # the tree itself, for child processes with an environment of their own, too
    echo "$root/src" >"$("$work/venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/tree.pth"
    step "tests"
    # all rows of their matrices: an older library may fail at some input only
    "$work/venv/bin/python" -m pytest -q -n 2 -p no:cacheprovider -m "slow or not slow" \
      tests/net tests/images/test_inspect.py tests/images/test_fit.py \
      tests/images/test_pool.py tests/images/test_opening.py tests/sources/page tests/sources/web \
      tests/queries tests/catalog tests/pipeline/test_run.py
    ;;
  *)
    echo "usage: variant.sh wheel|bare|oldest" >&2
    exit 2
    ;;
esac
step "all well"
