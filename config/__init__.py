"""Settings, addresses, the Celery application and the private servers of Inference Atlas."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
