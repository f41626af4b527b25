# The API, the worker and the one-shot commands: one image, told apart by their command.
# `embedded/` stays out: sandboxes and the development issuer have no place in production.

FROM python:3.11-slim-bookworm AS build

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore \
    PATH=/opt/carewave/bin:$PATH
WORKDIR /build
RUN python -m venv /opt/carewave

# The requirements change less often than the code: their layer is reused.
COPY requirements/run.txt requirements/run.txt
RUN pip install --require-hashes -r requirements/run.txt

COPY LICENSE README.md pyproject.toml *.py ./
COPY activities activities
COPY api api
COPY db db
COPY domain domain
COPY integrations integrations
COPY workflows workflows
RUN pip install --no-deps --no-build-isolation . \
 && pip uninstall --yes setuptools uv


FROM python:3.11-slim-bookworm

RUN groupadd --gid 10001 carewave \
 && useradd --uid 10001 --gid carewave --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin carewave
COPY --from=build /opt/carewave /opt/carewave

ENV PATH=/opt/carewave/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    API_HOST=0.0.0.0 \
    API_PORT=8000
WORKDIR /opt/carewave
USER 10001:10001
EXPOSE 8000

HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(f'http://127.0.0.1:{os.environ[\"API_PORT\"]}/healthz', timeout=4)"]

ENTRYPOINT ["carewave"]
CMD ["--help"]
