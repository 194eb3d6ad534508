# The web process (and migrations): no torch, no openvino.
ARG PYTHON_IMAGE=python:3.11-slim
FROM ${PYTHON_IMAGE}

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 SKINCLINIC_HOME=/data \
    # /tmp is memory, and so is all else but /data, or may not be written.
    TMPDIR=/data/tmp TORCH_HOME=/data/cache/torch
# The folders exist so that volumes over them belong to this user.
RUN useradd --system --uid 10001 --create-home skinclinic && \
    mkdir -p /data/static /data/photos /data/tmp && chown -R skinclinic /data && chmod 711 /data
WORKDIR /app
COPY docker/requirements-web.lock docker/
# One index, and every package by its hash; docker/lock.sh writes the list.
RUN pip install --no-cache-dir --no-deps --require-hashes -r docker/requirements-web.lock
COPY . .
USER skinclinic
EXPOSE 8000
CMD ["gunicorn", "skinclinic.wsgi", "--bind", "0.0.0.0:8000", "--worker-class", "gthread", \
     "--workers", "3", "--threads", "8", "--timeout", "120", "--worker-tmp-dir", "/dev/shm", \
     "--no-control-socket", "--access-logfile", "-", \
     "--logger-class", "skinclinic.web.gunicorn_logs.MaskingLogger"]
