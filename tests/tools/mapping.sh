#!/usr/bin/env bash
# Holds the documents of `mapping` against what was published, by packages that others made: OCSF's schema as
# ocsf-json-schema from PyPI has it, ECS's fields as @elastic/ecs from npm has them. Needs cargo and python3 with venv and
# pip, for ECS also npm and node, and a network for the packages; everything lands in target/mapping. With --write it makes
# the lists in tests/mapping anew instead of comparing them.
set -euo pipefail
cd "$(dirname "$0")/../.."

place=target/mapping
mkdir -p "$place"

missing() {
    echo "missing: $1"
    exit 69
}

command -v cargo >/dev/null || missing "cargo, which makes the documents"
command -v python3 >/dev/null || missing "python3, which checks them"
python3 -c 'import venv, ensurepip' 2>/dev/null || missing "python3's venv and pip (Debian: python3-venv)"

cargo test --quiet --locked --test mapping -- --ignored --exact samples::documents_for_other_checkers --nocapture

if [[ ! -x $place/venv/bin/python ]]; then
    python3 -m venv "$place/venv"
fi
"$place/venv/bin/pip" install --quiet ocsf-json-schema==1.2.0 jsonschema==4.26.0 ||
    missing "the packages ocsf-json-schema and jsonschema (is there a network?)"

rm -f "$place/ecs-published.json"
if command -v npm >/dev/null && command -v node >/dev/null; then
    if npm install --silent --no-audit --no-fund --prefix "$place/npm" @elastic/ecs@9.4.0 >/dev/null; then
        node -e 'process.stdout.write(JSON.stringify(require(process.argv[1]).EcsFlat))' \
            "$PWD/$place/npm/node_modules/@elastic/ecs/generated/ecs_flat.js" >"$place/ecs-published.json"
    else
        echo "missing: the package @elastic/ecs (is there a network?); ECS is not compared"
    fi
else
    echo "missing: npm and node; ECS is not compared"
fi

exec "$place/venv/bin/python" tests/tools/mapping.py "$place" "$@"
