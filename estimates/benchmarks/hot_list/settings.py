"""The service's own settings with the benchmark's addresses beside the service's; for the benchmark alone."""

from config.settings import *  # noqa: F403

ROOT_URLCONF = "estimates.benchmarks.hot_list.urls"
