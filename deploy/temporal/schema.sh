#!/bin/sh
# Create or upgrade Temporal's two schemas. Safe to repeat: it goes on from the version that the database has.
set -eu

SQL_PASSWORD="$(cat /run/secrets/temporal_db_password)"
export SQL_PASSWORD

for schema in temporal visibility; do
    case "$schema" in
        temporal) database=temporal ;;
        visibility) database=temporal_visibility ;;
    esac
    tool() {
        temporal-sql-tool --plugin postgres12 --ep "$POSTGRES_SEEDS" -p "$DB_PORT" -u "$POSTGRES_USER" \
            --db "$database" "$@"
    }
    tool setup-schema -v 0.0
    tool update-schema -d "/etc/temporal/schema/postgresql/v12/$schema/versioned"
done
