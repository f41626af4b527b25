"""The rollout of a patient-communication platform over the locations of a dental group: rules, states, policies."""
