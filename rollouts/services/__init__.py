"""The only code that writes rollouts, strategies and freezes."""
