"""The only code that writes subscriptions and deliveries; one module per subject."""
