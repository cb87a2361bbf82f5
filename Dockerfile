# The page on any host that runs containers:
#   docker build -t humanmeshnet . && docker run -p 7860:7860 humanmeshnet
FROM debian:bookworm-slim

ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1
WORKDIR /app

COPY packages.txt ./
RUN apt-get update \
    && apt-get install --yes --no-install-recommends python3 python3-venv $(cat packages.txt) \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 1000 app

# Before the app, so that a change of the app does not install them anew.
COPY requirements.txt ./
RUN python3 -m venv /opt/venv && pip install --requirement requirements.txt

COPY app.py LICENSE README.md RESULTS.md ./
COPY demo demo
COPY hmnet hmnet
COPY assets assets

# It may write in its home and in /tmp only.
USER 1000
EXPOSE 7860
HEALTHCHECK --start-period=120s --interval=30s --timeout=10s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:7860/healthz', timeout=5)"]
CMD ["python", "app.py", "--host", "0.0.0.0", "--port", "7860", "--json-logs"]
