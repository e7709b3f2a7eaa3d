#!/usr/bin/env bash
# How is the pipeline run by hand? The same commands as the flow's tasks, one after the other, and nobody who steers them.
#
#   by_hand.sh NAME SLEEP        in a folder with scripts/, gold/, and what is said there: generate.sh, bronze.sql, silver.sql,
#                                build.sh, which hold the flow's own commands and statements with their values
#
# SLEEP is how many seconds are slept while Flink works; 0: until the tables hold what the topic holds. PYTHON, DBT (the
# folder of dbt) and the addresses of the servers come from the environment. When each task ends is written to STAGES.
set -euo pipefail
name=$1 sleep=$2
hand=$(dirname "${BASH_SOURCE[0]}")/by_hand.py
ended() { echo "$1 $EPOCHREALTIME" >> "${STAGES:-/dev/null}"; }

ended start
"$PYTHON" "$hand" topic "$name" scripts/trip.schema.json
ended create_topics
PATH="$(dirname "$PYTHON"):$PATH" sh -e generate.sh
ended generate_events
"$PYTHON" "$hand" submit bronze.sql
ended submit_flink_bronze
"$PYTHON" "$hand" submit silver.sql
ended submit_flink_silver
if [[ $sleep != 0 ]]; then
  sleep "$sleep"
else
  "$PYTHON" "$hand" wait "$name" "$name.bronze"
  "$PYTHON" "$hand" wait "$name" "$name.silver" "$name.rejects"
fi
ended wait_for_processing
PATH="$DBT:$PATH" sh -e build.sh
ended dbt_build
