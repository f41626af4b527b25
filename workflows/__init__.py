"""Durable orchestration: one file a process, rules from domain, side effects through activities."""
