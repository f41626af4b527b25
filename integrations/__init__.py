"""What implements the ports of `activities.ports` against outside services: payments, texts and mail."""
