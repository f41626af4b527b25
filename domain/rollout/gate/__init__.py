"""The gate behind a wave: criteria, evidence, inputs, the decision."""
