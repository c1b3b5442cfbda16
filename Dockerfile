# The broker's image has two commands: the web server (the default) and `python3 manage.py run_worker`.
# Set up once per release, before either: `python3 manage.py migrate`, then `python3 manage.py bootstrap`.
# The agent's image is `docker build --target agent`. docs/how-to/build-the-image.md tells the rest.

# Any image with Python 3.11, as `python3`, and its module venv.
ARG BASE=python:3.11-slim

# What packages are installed with. The product's environment gets no pip.
FROM ${BASE} AS tools
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_CONFIG_FILE=/build/pip.conf
WORKDIR /build
COPY locks wheels ./
# Wheels that are there are all that is used.
RUN python3 -m venv tools \
    && python3 -m venv --without-pip /opt/venv \
    && find . -maxdepth 1 -name '*.whl' -printf '[global]\nno-index = true\nfind-links = /build\n' -quit >pip.conf

FROM tools AS build
COPY pyproject.toml ./
RUN tools/bin/pip --python /opt/venv/bin/python3 install --quiet --require-hashes --no-deps -r runtime.txt \
    && tools/bin/pip install --quiet --require-hashes --no-deps -r image.txt
# The bill of materials: every Python package that is in the image.
RUN tools/bin/cyclonedx-py environment --pyproject pyproject.toml --mc-type application --output-reproducible \
    --output-format JSON --output-file /opt/sbom.cdx.json /opt/venv/bin/python3
COPY . /app
# The bytecode, here once instead of at every start: the user that runs it may not write it.
RUN rm -r /app/locks /app/wheels /app/brokkr_agent && python3 -m compileall -q /app

FROM tools AS agent-build
RUN tools/bin/pip --python /opt/venv/bin/python3 install --quiet --require-hashes --no-deps -r agent.txt
COPY brokkr_agent /app/brokkr_agent
RUN python3 -m compileall -q /app

FROM ${BASE} AS runtime
ENV PATH=/opt/venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin brokkr
WORKDIR /app

FROM runtime AS agent
COPY --from=agent-build /opt/venv /opt/venv
COPY --from=agent-build /app /app
# A number, so that Kubernetes can see that it is not root.
USER 10001:10001
EXPOSE 8080
ENTRYPOINT ["python3", "-m", "brokkr_agent"]

FROM runtime
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Brokkr broker" \
    org.opencontainers.image.description="Distributes Kubernetes objects to many clusters by pull." \
    org.opencontainers.image.licenses="Apache-2.0" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${REVISION}"
ENV BROKKR_DATA_DIR=/data
# The only folder of ours that must be writable.
RUN install --directory --owner 10001 --group 10001 --mode 0700 /data
COPY --from=build /opt/venv /opt/venv
COPY --from=build /opt/sbom.cdx.json /usr/share/doc/brokkr/sbom.cdx.json
COPY --from=build /app /app
USER 10001:10001
VOLUME /data
EXPOSE 3000
# Asks the web process itself (the worker has no port: start its container with --no-healthcheck); whether the database answers is what /readyz says.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["python3", "-c", \
    "import os, urllib.request; urllib.request.urlopen(f\"http://127.0.0.1:{os.environ.get('BROKKR_PORT') or 3000}/healthz\", timeout=4)"]
CMD ["gunicorn"]
