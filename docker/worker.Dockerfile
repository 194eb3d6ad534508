# The workers. The torch of the list carries CUDA; for a CPU-only image build with
#   --build-arg TORCH_INDEX=https://download.pytorch.org/whl/cpu
# Then torch comes from there alone, and all else from the list: no package is ever looked for in two places.
ARG PYTHON_IMAGE=python:3.11-slim
FROM ${PYTHON_IMAGE}

ARG TORCH_INDEX=
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 SKINCLINIC_HOME=/data \
    # /tmp is memory, and so is all else but /data, or may not be written.
    TMPDIR=/data/tmp TORCH_HOME=/data/cache/torch
RUN useradd --system --uid 10001 --create-home skinclinic && \
    mkdir -p /data/static /data/photos /data/tmp && chown -R skinclinic /data && chmod 711 /data
WORKDIR /app
COPY docker/requirements-worker.txt docker/requirements-worker.lock docker/
RUN set -eu; \
    if [ -n "$TORCH_INDEX" ]; then \
      grep -E '^torch(vision)?==' docker/requirements-worker.txt > /tmp/torch.txt; \
      pip install --no-cache-dir --no-deps --index-url "$TORCH_INDEX" -r /tmp/torch.txt; \
      awk '/^[a-zA-Z]/ { keep = !/^(torch|torchvision|triton|nvidia-|cuda-)/ } keep' \
        docker/requirements-worker.lock > /tmp/all.lock; \
    else \
      cp docker/requirements-worker.lock /tmp/all.lock; \
    fi; \
    pip install --no-cache-dir --no-deps --require-hashes -r /tmp/all.lock; \
    rm /tmp/*
COPY . .
USER skinclinic
CMD ["celery", "-A", "skinclinic", "worker", "--pool", "solo", "--queues", "analysis", "--loglevel", "INFO"]
