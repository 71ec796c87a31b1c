"""Measures in the service that the environment names, which is empty and private; prints JSON."""

import json
import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from estimates.benchmarks.scaling.measure import measure  # noqa: E402

if __name__ == "__main__":
    json.dump(measure(**json.loads(sys.argv[1])), sys.stdout)
