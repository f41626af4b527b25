#!/bin/sh
# Create the namespace and bring its retention up to date. Safe to repeat.
set -eu

try() {
    attempt=0
    until "$@" >/dev/null 2>&1; do
        attempt=$((attempt + 1))
        if [ "$attempt" -ge 60 ]; then
            echo "Temporal at $TEMPORAL_ADDRESS: this kept failing for two minutes: $*" >&2
            "$@"
        fi
        sleep 2
    done
}

# The server answers some seconds after its port has opened.
try temporal operator cluster health

if ! temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1; then
    temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention "$RETENTION"
fi

# A new namespace is known to every part of the server only after some seconds; what runs next depends on it.
try temporal operator namespace update --namespace "$TEMPORAL_NAMESPACE" --retention "$RETENTION"
