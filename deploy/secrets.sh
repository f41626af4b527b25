#!/bin/sh
# Make the passwords that only the machines need to know. Files that exist are kept, so that it is safe to repeat.
set -eu

cd "$(dirname "$0")/.."
mkdir -p secrets
# Compose binds each file into containers whose users differ: the files are readable, their folder is not.
chmod 0700 secrets

put() {
    [ -e "secrets/$1" ] || printf '%s' "$2" >"secrets/$1"
    chmod 0444 "secrets/$1"
}

random() {
    od -An -N24 -tx1 /dev/urandom | tr -d ' \n'
}

put postgres_password "$(random)"
put carewave_db_password "$(random)"
put temporal_db_password "$(random)"
put database_url "postgresql://carewave:$(cat secrets/carewave_db_password)@postgres:5432/carewave"

missing=0
for name in data_keys codec_keys stripe_api_key stripe_webhook_secret twilio_auth_token smtp_password temporal_ui_client_secret; do
    if [ -e "secrets/$name" ]; then
        chmod 0444 "secrets/$name"
    else
        echo "still to be written: secrets/$name"
        missing=1
    fi
done
[ "$missing" -eq 1 ] || echo "all secrets are there"
