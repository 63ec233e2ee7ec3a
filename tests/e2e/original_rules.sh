#!/usr/bin/env bash
# What an original peer must never be sent: each row of protocol.md part 2, by name, tried by a bare
# peer that keeps every byte.
# shellcheck source=tests/e2e/support.sh
source "$(dirname "$0")/support.sh"
claim_port
python3 "$here/original_rules.py" "$fogctl" "$claimed_port"
