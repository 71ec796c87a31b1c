"""System checks: misconfiguration found by `manage.py check`, each with a hint that says what to do."""
