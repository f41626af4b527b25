#!/bin/sh
# The server reads its database password from the environment only.
set -eu

POSTGRES_PWD="$(cat /run/secrets/temporal_db_password)"
export POSTGRES_PWD

exec /etc/temporal/entrypoint.sh
