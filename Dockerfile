# The broker's image has two commands: the web server (the default) and `python manage.py run_worker`.
# The agent's image is `docker build --target agent`.
# Set up once per release, before either: `python manage.py migrate`, then `python manage.py bootstrap`.

FROM python:3.11-slim AS packages
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/venv
COPY locks/runtime.txt .
RUN /opt/venv/bin/pip install --require-hashes --no-deps --requirement runtime.txt

FROM python:3.11-slim AS agent-packages
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/venv
COPY locks/agent.txt .
RUN /opt/venv/bin/pip install --require-hashes --no-deps --requirement agent.txt

FROM python:3.11-slim AS agent
ENV PATH=/opt/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin brokkr
COPY --from=agent-packages /opt/venv /opt/venv
WORKDIR /app
COPY brokkr_agent brokkr_agent
RUN python -m compileall -q /app
USER 10001:10001
EXPOSE 8080
ENTRYPOINT ["python", "-m", "brokkr_agent"]

FROM python:3.11-slim
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    BROKKR_DATA_DIR=/data
# A number, so that Kubernetes can see that it is not root.
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin brokkr \
    && install --directory --owner 10001 --group 10001 --mode 0700 /data
COPY --from=packages /opt/venv /opt/venv
WORKDIR /app
COPY . .
# The bytecode, here once instead of at every start: the user below may not write it.
RUN python -m compileall -q /app
USER 10001:10001
VOLUME /data
EXPOSE 3000
# Asks the web process itself (the worker has no port: start its container with --no-healthcheck); whether the database answers is what /readyz says.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["python", "-c", \
    "import os, urllib.request; urllib.request.urlopen(f\"http://127.0.0.1:{os.environ.get('BROKKR_PORT') or 3000}/healthz\", timeout=4)"]
CMD ["gunicorn"]
