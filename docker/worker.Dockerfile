# The workers. The default torch from PyPI carries CUDA; for a CPU-only image build with
#   --build-arg TORCH_INDEX=https://download.pytorch.org/whl/cpu
FROM python:3.11-slim

ARG TORCH_INDEX=https://pypi.org/simple
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 SKINCLINIC_HOME=/data
RUN useradd --system --uid 10001 --create-home skinclinic && mkdir /data && chown skinclinic /data
WORKDIR /app
COPY requirements.txt ./
COPY docker/requirements-web.txt docker/
RUN pip install --no-cache-dir --index-url "$TORCH_INDEX" --extra-index-url https://pypi.org/simple \
    -r requirements.txt
COPY . .
USER skinclinic
CMD ["celery", "-A", "skinclinic", "worker", "--pool", "solo", "--queues", "analysis", "--loglevel", "INFO"]
