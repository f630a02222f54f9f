# The bot as a container: everything in one process, its data in /data.
# For two kinds of process on one Redis: `docker run … web` and `docker run --no-healthcheck … worker`.
FROM python:3.13-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 DATA_DIR=/data PORT=3000
WORKDIR /app

COPY requirements.txt ./
RUN pip install --no-cache-dir --require-hashes -r requirements.txt

COPY manifest.yml ./
COPY pyproject.toml ./
COPY bot ./bot
COPY commands ./commands
COPY formatters ./formatters

RUN useradd --uid 10001 --no-create-home bot && mkdir /data && chown bot /data
USER 10001
VOLUME /data
EXPOSE 3000

HEALTHCHECK --interval=30s --timeout=5s --start-period=15s CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/healthz', timeout=4)"]
ENTRYPOINT ["python", "-m", "bot"]
CMD ["all"]
