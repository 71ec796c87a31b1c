#!/usr/bin/env python
"""Entry point of the management commands; errors of set-up end in one clear line, not in a traceback."""

import os
import sys


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # threads of small matrix products only spin
    try:
        from django.core.management import execute_from_command_line
    except ImportError:
        print(
            "Django is not installed for this Python: run `make setup`, then .venv/bin/python manage.py …",
            file=sys.stderr,
        )
        return 1
    from config.commandline import one_line_errors

    with one_line_errors(sys.argv):
        execute_from_command_line(sys.argv)
    return 0


if __name__ == "__main__":
    sys.exit(main())
