# The web process (and migrations): no torch, no onnxruntime.
FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 SKINCLINIC_HOME=/data
RUN useradd --system --uid 10001 --create-home skinclinic && mkdir /data && chown skinclinic /data
WORKDIR /app
COPY docker/requirements-web.txt docker/
RUN pip install --no-cache-dir -r docker/requirements-web.txt
COPY . .
USER skinclinic
EXPOSE 8000
CMD ["gunicorn", "skinclinic.wsgi", "--bind", "0.0.0.0:8000", "--worker-class", "gthread", \
     "--workers", "3", "--threads", "8", "--timeout", "120", "--no-control-socket", "--access-logfile", "-", \
     "--logger-class", "skinclinic.web.gunicorn_logs.MaskingLogger"]
