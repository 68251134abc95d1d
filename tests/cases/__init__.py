"""Cases as text, and their reader in tests/support/cases.py."""
