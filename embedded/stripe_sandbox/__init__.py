"""A sandbox that speaks the part of Stripe's HTTP API that Carewave uses, with a pay page and signed webhooks."""
