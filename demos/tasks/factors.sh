#!/usr/bin/env bash
# A stream worker: the prime factors of a whole number. fogctl writes the members of a line always
# in the same order and without white space between them, so a pattern reads them.
line_of_number='^\{"uid":"([A-Za-z0-9_.-]+)","content":([0-9]{1,18}),"attempt":'
line_of_other='^\{"uid":"([A-Za-z0-9_.-]+)",'
while IFS= read -r line; do
  if [[ $line =~ $line_of_number ]]; then
    uid=${BASH_REMATCH[1]}
    factors=$(factor "${BASH_REMATCH[2]}")
    factors=${factors#*:}
    factors=${factors# }
    printf '{"uid":"%s","content":[%s]}\n' "$uid" "${factors// /,}"
  elif [[ $line =~ $line_of_other ]]; then
    printf '{"uid":"%s","error":"content: expected a whole number"}\n' "${BASH_REMATCH[1]}"
  fi
done
