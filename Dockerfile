# The router's image. Envoy has an image of its own; the two meet in a pod (docs/deployment.md). BuildKit builds it.
#
# The base is named by tag, so that building again brings the fixes of Python and Debian. To build the same bytes
# again, name it by digest: docker build --build-arg PYTHON_IMAGE=python:3.11-slim-trixie@sha256:... .
ARG PYTHON_IMAGE=python:3.11-slim-trixie
ARG VERSION=0.1.0


FROM ${PYTHON_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
# Without pip: what runs cannot install.
RUN python -m venv --without-pip /app/venv

# Dependencies come before the code: a change of the code leaves this layer, the big one, as it is. The exporter of
# traces is among them, because an image cannot be added to where it runs. There is no compiler here: wheels alone.
COPY pyproject.toml constraints.txt ./
RUN python -c "import tomllib; \
p = tomllib.load(open('pyproject.toml', 'rb')); \
print(*p['build-system']['requires'], sep='\n', file=open('build.txt', 'w')); \
print(*p['project']['dependencies'], *p['project']['optional-dependencies']['otlp'], sep='\n', file=open('run.txt', 'w'))" \
 && pip install --only-binary :all: -c constraints.txt -r build.txt \
 && pip --python /app/venv/bin/python install --only-binary :all: -c constraints.txt -r run.txt

COPY README.md LICENSE hatch_build.py ./
COPY proto proto
COPY extproc_router extproc_router
RUN pip wheel --no-deps --no-build-isolation --wheel-dir dist . \
 && pip --python /app/venv/bin/python install --no-deps dist/*.whl


FROM ${PYTHON_IMAGE}
ARG VERSION
LABEL org.opencontainers.image.title="extproc-router" \
      org.opencontainers.image.description="An Envoy External Processing sidecar that picks the model for each LLM request." \
      org.opencontainers.image.source="https://github.com/extproc-router/extproc-router" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}"

# All of it belongs to root: the process cannot change what it runs. The model is part of the image, and nothing looks
# for one elsewhere. ONNX Runtime reports to its makers unless it is told not to.
COPY --from=build /app/venv /app/venv
COPY models/minilm-l4-router /app/models/minilm-l4-router
ENV PATH=/app/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONFAULTHANDLER=1 \
    MALLOC_ARENA_MAX=2 \
    HF_HUB_OFFLINE=1 \
    ORT_DISABLE_TELEMETRY=1 \
    EXTPROC_ROUTER_MODEL=/app/models/minilm-l4-router \
    EXTPROC_ROUTER_CONFIG=/etc/extproc-router/router.yaml

# The base ships Python's library without bytecode, and a read-only root can keep none: what serving imports is
# compiled now.
RUN PYTHONDONTWRITEBYTECODE= python -c "import extproc_router.wiring, extproc_router.envoyconf.check"

# By number, so that Kubernetes can see that it is not root.
USER 65532:65532

# As the user that will run it: the model is complete, readable, and fits the code. There is no config in the image: a
# mount that was forgotten must not become somebody else's policy.
RUN --mount=type=bind,source=examples/quickstart.yaml,target=/tmp/quickstart.yaml \
    ["extproc-router", "check", "--config", "/tmp/quickstart.yaml"]

# ext_proc, probes, metrics. No HEALTHCHECK: the kubelet asks gRPC health by itself, and Docker's would need a client.
EXPOSE 9002 9003 9004
STOPSIGNAL SIGTERM
ENTRYPOINT ["extproc-router"]
CMD ["serve", "--listen=0.0.0.0:9002", "--health-listen=0.0.0.0:9003", "--metrics-listen=0.0.0.0:9004"]
