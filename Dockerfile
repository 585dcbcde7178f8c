# The host in a container: docker build -t fnhost .
# docker run --init -d --name fnhost -p 127.0.0.1:5888:5888 fnhost
# Its callers need a token; the first one: docker exec fnhost cat /var/lib/fnhost/first.token

FROM python:3.11-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY host host
COPY functions functions
COPY triggers triggers
COPY runtime runtime
COPY conf conf
RUN pip wheel --no-cache-dir --wheel-dir /wheels .

FROM python:3.11-slim
# The home is in the volume as well: the cache that venvs are linked from must be on their file system.
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/fnhost fnhost
COPY --from=build /wheels /wheels
RUN pip install --no-cache-dir --no-index --find-links /wheels fnhost && rm -r /wheels
USER fnhost
# Inside of a container loopback cannot be reached from outside, so the host listens everywhere, and says
# so explicitly; its first start makes a token, without which it would not listen there.
ENV FNHOST_LISTEN=0.0.0.0:5888 \
    FNHOST_FIRST_TOKEN=1 \
    FNHOST_STATE=/var/lib/fnhost
VOLUME /var/lib/fnhost
EXPOSE 5888
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:5888/livez', timeout=3)"]
ENTRYPOINT ["fnhost"]
CMD ["serve"]
