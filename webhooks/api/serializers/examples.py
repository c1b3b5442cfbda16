"""The ids and texts that are used in the examples of several bodies."""

WEBHOOK_ID = "0193f0e1-1b00-7c3e-8d00-4a5b6c7d8e9f"
STACK_ID = "0193f0a4-11d2-7a53-9d0e-5a8c1f7b2e90"
URL = "https://ci.example.com/hooks/brokkr"
